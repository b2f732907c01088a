"""The log of the selected step: the lines that are shown, and the ways through all the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from workflows_app.dashboard.looks import plural
from workflows_app.dashboard.steps_view import LEVELS, View
from workflows_app.engine.report.log_window import LOWEST, MOST_MATCHES, Line, Log, Stretch
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Step

Part = tuple[str, bool]
MOST_OF_LINE = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line as it is shown. `parts` are `(text, whether it was looked for)` where something was found in it; `anchor` is `error` on
    the line that explains the failure, `match` on the one of the search that is shown now."""

    number: int
    at: str
    level: str
    message: str
    parts: list[Part]
    starts_attempt: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Search:
    words: str
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    words: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class LogPanel:
    """`key` names what is shown: a browser that has it asks for the rows after its last one only, and `is_rest` says that it got those.
    `after` is the key of the last row. `is_live`: more may come at its end. `raw` is the query of the plain text;
    `form` and `hidden` make the form that narrows and searches."""

    key: str
    rows: list[Row]
    is_rest: bool
    after: int
    earlier: int
    earlier_url: str
    earlier_rows: str
    later_words: str
    later_url: str
    count: str
    attempts: list[Choice]
    levels: list[Choice]
    search: Search | None
    has_error: bool
    is_live: bool
    wrap_url: str
    raw: str
    form: str
    hidden: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """The stretch that is shown; `is_rest`: the browser has the lines before it. `current` is the key of the match that is shown."""

    stretch: Stretch
    key: str
    is_rest: bool
    after: int
    found: Sequence[int]
    place: int

    @property
    def current(self) -> int | None:
        return self.found[self.place - 1] if self.place else None


def build(step: Step, view: View, *, held: str = "") -> LogPanel:
    """`held` is `key:after` of what the browser has."""
    opened = _opened(step, view, held)
    stretch = opened.stretch
    rows = _rows(stretch, step, view, opened.current)
    has_earlier = bool(stretch.earlier and not opened.is_rest)
    return LogPanel(
        key=opened.key,
        rows=rows,
        is_rest=opened.is_rest,
        after=stretch.lines[-1].key if stretch.lines else opened.after,
        earlier=stretch.earlier if has_earlier else 0,
        earlier_url=view.url(match=None, line=max(1, stretch.lines[0].number - 1)) if has_earlier else "",
        earlier_rows=rows_query(view, stretch) if has_earlier else "",
        later_words=plural(stretch.later, "later line") if stretch.later else "",
        later_url=view.log_url(find=""),
        count=plural(log_of(step, view).count(), "line"),
        attempts=_attempts(step, view),
        levels=[Choice("", "every level", not view.level), *(Choice(level, _above(level), level == view.level) for level in LEVELS)],
        search=_search(view, opened.found, opened.place) if view.find else None,
        has_error=any(row.anchor == "error" for row in rows) or (opened.after > 0 and step.status == Status.FAILED),
        is_live=step.status not in FINAL and not stretch.later,
        wrap_url=view.url(is_wide=not view.is_wide),
        raw=View(step=view.step, attempt=view.attempt).url(),
        form=_form(step, view),
        hidden=parse_qsl(view.log_url(attempt=None, level="", find="").removeprefix("?")),
    )


def earlier(step: Step, view: View, *, before: int) -> tuple[list[Row], str]:
    """The rows above that line, and the query for those above them; empty when these are the first."""
    stretch = log_of(step, view).before(before)
    return _rows(stretch, step, view, None), rows_query(view, stretch)


def log_of(step: Step, view: View) -> Log:
    return Log(step.pk, view.attempt, view.level or LOWEST)


def rows_query(view: View, stretch: Stretch) -> str:
    """What the fragment with the rows above these is asked for."""
    return view.log_url(view="graph", line=stretch.lines[0].number) if stretch.earlier and stretch.lines else ""


def _opened(step: Step, view: View, held: str) -> Opened:
    """The end, unless a line or a match is asked for that stands before it; of the end what is new, to a browser that has the rest."""
    log = log_of(step, view)
    found = log.matches(view.find) if view.find else []
    place = min(view.match or 1, len(found)) if found else 0
    wanted = found[place - 1] if place else log.key_of(view.line) if view.line else None
    key, has = _key(step, view), held.rpartition(":")[0]
    if wanted is None and _is_end(has, key) and (rest := _rest(log, held)):
        return Opened(rest, has, True, _after(held), found, place)
    tail = log.tail()
    if wanted is not None and tail.lines and wanted < tail.lines[0].key:
        return _part(log.around(wanted), key, has, found, place)
    return Opened(tail, f"{key}-from{tail.lines[0].key}" if has == key and tail.lines else key, False, 0, found, place)


def _part(part: Stretch, key: str, has: str, found: Sequence[int], place: int) -> Opened:
    """Lines before the end: they stay what they are, and a browser that has them needs them no more."""
    last = part.lines[-1].key
    key = f"{key}-to{last}" if part.later else key
    return Opened(Stretch((), 0, part.later) if has == key else part, key, has == key, last, found, place)


def _key(step: Step, view: View) -> str:
    """The end of a log stays what it is while lines come, until the step fails; another part is another, and so is the end when more
    came than a browser that was there has seen."""
    found = [view.find.encode().hex(), view.match or 1] if view.find else []
    failed = ["failed"] if step.status == Status.FAILED else []
    return "-".join(map(str, [step.pk, view.attempt or "all", view.level or "all", *failed, *found]))


def _is_end(has: str, key: str) -> bool:
    return has == key or re.fullmatch(rf"{re.escape(key)}-from[0-9]{{1,18}}", has) is not None


def _rest(log: Log, held: str) -> Stretch | None:
    """What came after the lines that the browser has; None when it has to get all of them."""
    rest = log.after(_after(held))
    return None if rest.later else rest


def _after(held: str) -> int:
    after = held.rpartition(":")[2]
    return int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0


def _form(step: Step, view: View) -> str:
    """Names the form: what is typed into it stays until it shows something else, or another attempt begins."""
    return f"{step.pk}-{step.attempt}-{view.view}-{view.attempt or ''}-{view.level}-{view.find.encode().hex()}"


def _rows(stretch: Stretch, step: Step, view: View, current: int | None) -> list[Row]:
    error = _explaining(stretch.lines, step)
    looked_for = re.compile(re.escape(view.find), re.IGNORECASE) if view.find else None
    rows, before = [], stretch.lines[0].attempt if stretch.lines else 0
    for line in stretch.lines:
        anchor = "match" if line.key == current else "error" if line.key == error else ""
        message = _cut(line.message)
        rows.append(_row(line, message, line.attempt if line.attempt != before else 0, _parts(message, looked_for), anchor))
        before = line.attempt
    return rows


def _row(line: Line, message: str, starts_attempt: int, parts: list[Part], anchor: str) -> Row:
    at = f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03d}"
    return Row(line.number, at, line.level, message, parts, starts_attempt, anchor)


def _cut(message: str) -> str:
    """Two thousand very long lines would be more than a page can show."""
    more = len(message) - MOST_OF_LINE
    return message if more <= 0 else f"{message[:MOST_OF_LINE]}… {more:,} more characters: the raw log has them"


def _explaining(lines: Sequence[Line], step: Step) -> int | None:
    """Of a failed step the last line that says its error, else its last ERROR, else its last line."""
    if step.status != Status.FAILED or not lines:
        return None
    said = step.error.strip().split("\n")[0][:200]
    telling = [line for line in lines if said and said in line.message] or [line for line in lines if line.level == "ERROR"]
    return (telling or lines)[-1].key


def _parts(message: str, looked_for: re.Pattern[str] | None) -> list[Part]:
    if looked_for is None or not looked_for.search(message):
        return []
    parts, end = [], 0
    for match in looked_for.finditer(message):
        parts += [(message[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [(text, is_hit) for text, is_hit in [*parts, (message[end:], False)] if text]


def _search(view: View, found: Sequence[int], place: int) -> Search:
    if not found:
        return Search(f"“{view.find}” is in no line", "", "")
    total = f"{len(found):,}" if len(found) < MOST_MATCHES else f"the first {MOST_MATCHES:,}"
    words = f"match {place:,} of {total}"
    previous, following = (view.url(match=at, line=None) for at in ((place - 2) % len(found) + 1, place % len(found) + 1))
    return Search(words, previous, following)


def _attempts(step: Step, view: View) -> list[Choice]:
    numbers = range(step.attempt, 0, -1)[:100]
    return [Choice("", "every attempt", view.attempt is None), *(Choice(str(n), f"attempt {n}", n == view.attempt) for n in numbers)]


def _above(level: str) -> str:
    return f"{level} and above" if level != LEVELS[-1] else level
