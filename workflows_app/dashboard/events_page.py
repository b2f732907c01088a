"""Events as their pages show them: what came in, what it matched, what it started."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.dashboard.looks import Look, Moment, look, moment, plural, pretty
from workflows_app.engine import report
from workflows_app.engine.report import events as events_report
from workflows_app.engine.report.pulse import pulse
from workflows_app.graph.statuses import ACTIVE
from workflows_app.models import Event, Workflow

PER_PAGE, MOST_LINKS = 50, 5
KEYS = ("source", "matched")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Started:
    """A workflow that an event started; no look when it was deleted since."""

    uid: str
    name: str
    look: Look | None


@dataclass(frozen=True, slots=True)
class Row:
    """`message` says in a sentence what became of it; `steps` are the waiting steps that took it."""

    uid: str
    source: str
    at: Moment | None
    message: str
    started: list[Started]
    more: str
    took: str
    looked_at: str


@dataclass(frozen=True, slots=True)
class Filters:
    """As the URL has them. `matched` is `yes`, `no` or empty."""

    source: str = ""
    matched: str = ""
    cursor: str = ""

    def url(self, **changes: str) -> str:
        query = {key: getattr(self, key) for key in KEYS if getattr(self, key)} | changes
        return f"?{urlencode({key: value for key, value in query.items() if value})}"


@dataclass(frozen=True, slots=True)
class EventsPage:
    filters: Filters
    rows: list[Row]
    tabs: list[tuple[str, str, bool]]
    older_url: str
    url: str
    poll_milliseconds: int
    now: str


@dataclass(frozen=True, slots=True)
class Match:
    """What one template said to the event: `look` and `word` in short, `reason` why it started nothing."""

    slug: str
    name: str
    version: int
    look: Look
    reason: str
    started: Started | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """`took` are `(workflow id, its name, step id)`."""

    event: Json
    at: Moment | None
    by: str
    message: str
    payload: str
    matches: list[Match]
    took: list[tuple[str, str, str]]
    poll_milliseconds: int
    now: str


def filters_of(query: QueryDict) -> Filters:
    """What a database would refuse is left out."""
    source, matched = query.get("source", "").replace("\0", "").strip()[:100], query.get("matched", "")
    return Filters(source, matched if matched in {"yes", "no"} else "", query.get("cursor", "")[:100])


def tag() -> str:
    """Changes with every event, with every one that is brought to a step, and with the workflows."""
    now = pulse()
    return f"{now.events}-{now.workflows}"


def build(filters: Filters, *, now: datetime) -> EventsPage:
    page = _page(filters)
    names = _names([event["id"] for row in page.events for event in row["workflows"]])
    tabs = [(word, filters.url(matched=value), filters.matched == value) for word, value in TABS]
    return EventsPage(
        filters=filters,
        rows=[_row(event, names, now) for event in page.events],
        tabs=tabs,
        older_url=filters.url(cursor=page.cursor) if page.cursor else "",
        url=filters.url(cursor=filters.cursor),
        poll_milliseconds=LIST_MILLISECONDS,
        now=now.isoformat(),
    )


TABS = (("All", ""), ("Used", "yes"), ("Not used", "no"))


def _page(filters: Filters) -> events_report.EventPage:
    """A cursor that leads nowhere means the first page."""
    wanted: dict[str, Any] = {"source": filters.source, "matched": {"yes": True, "no": False}.get(filters.matched), "limit": PER_PAGE}
    try:
        return events_report.search_events(**wanted, cursor=filters.cursor or None)
    except report.BadCursor:
        return events_report.search_events(**wanted)


def _names(uids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Name and status of these workflows by id."""
    found = Workflow.objects.filter(uid__in=uids).values_list("uid", "name", "status") if uids else ()
    return {str(uid): (name, status) for uid, name, status in found}


def _row(event: Json, names: Mapping[str, tuple[str, str]], now: datetime) -> Row:
    started = [_started(workflow["id"], names) for workflow in event["workflows"]]
    took = len(event["deliveries"])
    return Row(
        uid=event["id"],
        source=event["source"],
        at=moment(event["receivedAt"], now=now),
        message=event["message"],
        started=started[:MOST_LINKS],
        more=plural(len(started) - MOST_LINKS, "more workflow") if len(started) > MOST_LINKS else "",
        took=plural(took, "step") if took else "",
        looked_at=plural(len(event["templates"]), "template"),
    )


def _started(uid: str, names: Mapping[str, tuple[str, str]]) -> Started:
    name, status = names.get(uid, ("", ""))
    return Started(uid, name, look(status) if status else None)


def event_page(uid: uuid.UUID, *, now: datetime) -> EventPage:
    """Raises EventNotFound."""
    event = events_report.event(uid)
    wanted = {match["workflowId"] for match in event["templates"]} | {delivery["workflowId"] for delivery in event["deliveries"]}
    names = _names(sorted(wanted - {None}))
    is_moving = any(names[workflow["id"]][1] in ACTIVE for workflow in event["workflows"] if workflow["id"] in names)
    sender = Event.objects.filter(uid=uid).values_list("received_by__username", flat=True).first()
    return EventPage(
        event=event,
        at=moment(event["receivedAt"], now=now),
        by=sender or "",
        message=event["message"],
        payload=pretty(event["payload"]),
        matches=[_match(match, names) for match in sorted(event["templates"], key=_interest)],
        took=[(row["workflowId"], names.get(row["workflowId"], ("",))[0], row["stepId"]) for row in event["deliveries"]],
        poll_milliseconds=LIST_MILLISECONDS if is_moving else IDLE_MILLISECONDS,
        now=now.isoformat(),
    )


STARTED, REFUSED, PASSED = Look("completed", "✓", "Started"), Look("failed", "✕", "Not started"), Look("skipped", "–", "No match")


def _interest(match: Json) -> tuple[bool, bool, str]:
    """What started something first, then what matched and did not."""
    return (match["workflowId"] is None, not match["matched"], match["template"])


def _match(match: Json, names: Mapping[str, tuple[str, str]]) -> Match:
    uid = match["workflowId"]
    return Match(
        slug=match["template"],
        name=match.get("name") or match["template"],
        version=match["version"],
        look=STARTED if uid else REFUSED if match["matched"] else PASSED,
        reason=match["reason"] or "",
        started=_started(uid, names) if uid else None,
    )
