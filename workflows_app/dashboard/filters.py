"""The filters of the workflow list. They live in the URL, so that back, reload and a sent link keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.dashboard import query_language, time_range
from workflows_app.dashboard.looks import LOOKS, status_named
from workflows_app.dashboard.query_language import Query
from workflows_app.dashboard.time_range import NoTime, TimeRange
from workflows_app.graph.statuses import Status

KEYS = ("status", "template", "tag", "since", "from", "to", "q")
MAX_CHARACTERS = 500
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Filters:
    """`values` are as the URL has them, by key; what means nothing among them is told in `problems` and filters nothing."""

    values: dict[str, str] = field(default_factory=dict)
    after: str = ""
    rows: tuple[int, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """`status` may be repeated. `rows` are those that the page of a poll shows."""
        given = {key: query.get(key, "").strip()[:MAX_CHARACTERS] for key in KEYS}
        given["status"] = ",".join(_words(",".join(query.getlist("status"))))
        rows = tuple(int(key) for key in query.get("rows", "").split(".") if key.isascii() and key.isdigit() and len(key) < 19)
        return cls({key: value for key, value in given.items() if value}, query.get("after", "")[:60], rows[:100])

    def get(self, key: str) -> str:
        return self.values.get(key, "")

    @property
    def q(self) -> str:
        return self.get("q")

    @property
    def template(self) -> str:
        return self.get("template")

    @property
    def since(self) -> str:
        return self.get("since")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form has no field for, and hands on."""
        return [(key, self.get(key)) for key in ("status", "tag", "from", "to") if self.get(key)]

    @property
    def query(self) -> Query:
        return query_language.parse(self.get("q"))

    @property
    def are_set(self) -> bool:
        return bool(self.values)

    @property
    def statuses(self) -> set[Status]:
        """Those wanted; empty for all. Wanted in the box and beside it: in both."""
        wanted = [found for text in self._all("status") if (found := {s for word in _words(text) if (s := status_named(word))})]
        return set.intersection(*wanted) if wanted else set()

    @property
    def finds_nothing(self) -> bool:
        """Filters that cannot all be met: two statuses at once, or an error of what has not failed."""
        wanted = [text for text in self._all("status") if any(status_named(word) for word in _words(text))]
        has_error = bool(self.query.values("error"))
        return bool(wanted) and (not self.statuses or (has_error and Status.FAILED not in self.statuses))

    @property
    def templates(self) -> list[str]:
        return self._all("template")

    @property
    def tags(self) -> list[str]:
        return self._all("tag")

    @property
    def lengths(self) -> list[timedelta]:
        """Of the ranges that end now."""
        return [length for text in self._all("since") if (length := _or_none(time_range.ago, text))]

    def between(self, now: datetime) -> TimeRange:
        starts = [now - length for length in self.lengths]
        begun = _or_none(time_range.moment, self.get("from"))
        return TimeRange(max([*starts, *([begun] if begun else [])], default=None), _or_none(time_range.moment, self.get("to")))

    @property
    def problems(self) -> list[str]:
        return [*self.query.problems, *self._unknown_statuses(), *self._unread_times()]

    def url(self, **changes: str) -> str:
        """The list's URL with these changes (`from_` for `from`); a change of filter starts again at the newest."""
        changed = {**self.values, **{key.rstrip("_"): value for key, value in changes.items()}}
        query = {key: changed[key] for key in (*KEYS, "after", "rows") if changed.get(key)}
        return f"?{urlencode(query)}" if query else "?"

    def toggled(self, status: str) -> str:
        """With this status beside those that are filtered by, or without it when it is among them."""
        words = _words(self.get("status"))
        return self.url(status=",".join(sorted({*words} ^ {status}, key=_place)))

    def without(self) -> list[tuple[str, Filters]]:
        """`(what is dropped, what is left)` for each filter that is set; each part of the search by itself."""
        dropped = [(_said(key, self.get(key)), self._with(key, "")) for key in KEYS if self.get(key) and key != "q"]
        parts = self.query.terms if len(self.query.terms) > 1 else ()
        whole = [(f"“{self.get('q')}”", self._with("q", ""))] if self.get("q") and not parts else []
        return [*dropped, *whole, *((term.typed, self._with("q", self.query.without(term))) for term in parts)]

    def _with(self, key: str, value: str) -> Filters:
        return replace(self, values={k: v for k, v in {**self.values, key: value}.items() if v}, after="", rows=())

    def narrowed(self, **changes: str) -> Filters:
        found = self
        for key, value in changes.items():
            found = found._with(key, value)
        return found

    def _all(self, key: str) -> list[str]:
        """From the URL's own key and from the search box."""
        return [value for value in (self.get(key), *self.query.values(key)) if value]

    def _unknown_statuses(self) -> list[str]:
        known = ", ".join(seen.css for seen in LOOKS.values())
        typed = [word for text in self._all("status") for word in _words(text) if not status_named(word)]
        return [f"There is no status “{word}”. There are: {known}." for word in typed]

    def _unread_times(self) -> list[str]:
        found = [_problem(time_range.ago, text) for text in self._all("since")]
        return [said for said in (*found, *(_problem(time_range.moment, self.get(key)) for key in ("from", "to"))) if said]


def of_text(query: str) -> Filters:
    """From a query string, as views keep it, or from the URL of a list."""
    return Filters.from_query(QueryDict(query.rpartition("?")[2]))


def _words(text: str) -> list[str]:
    """Known statuses by the one word that URLs use."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return list(dict.fromkeys(LOOKS[found].css if (found := status_named(word)) else word for word in words))


def _place(word: str) -> int:
    order = [seen.css for seen in LOOKS.values()]
    return order.index(word) if word in order else len(order)


def _said(key: str, value: str) -> str:
    return f"{key} {value.replace(',', ' or ')}"


def _or_none(read: Callable[[str], Read], text: str) -> Read | None:
    try:
        return read(text) if text else None
    except NoTime:
        return None


def _problem(read: Callable[[str], object], text: str) -> str:
    try:
        read(text) if text else None
    except NoTime as error:
        return str(error)
    return ""
