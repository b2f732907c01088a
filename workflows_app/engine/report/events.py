"""Events as JSON, alone and by page."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, StrIndex

from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.report.find import parse_uid
from workflows_app.engine.report.search import BadCursor
from workflows_app.engine.report.times import iso
from workflows_app.engine.sql.transaction import Session
from workflows_app.models import Event, Workflow
from workflows_app.models.triggers import EventQuerySet

Json = dict[str, Any]
MATCHED = '"matched": true'  # in the text of `matches` exactly when some template's trigger was true: in a reason its quotes are escaped
NO_TEMPLATE = "The event was kept. No template has a trigger, so it started nothing."
NO_MATCH = "The event was kept. No trigger matched, so it started nothing."
NOT_STARTED = "The event was kept. A trigger matched, but no workflow was started: each template says why."


class EventNotFound(LookupError):
    def __init__(self, uid: object) -> None:
        super().__init__(f"Event with ID {uid} not found")


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events as JSON, and the cursor of the page after; None on the last."""

    events: list[Json]
    cursor: str | None


def event(uid: object) -> Json:
    """One event with its payload. Raises EventNotFound, also for what is no UUID."""
    try:
        found = Event.objects.filter(uid=parse_uid(uid)).first()
    except WorkflowNotFound:
        found = None
    if found is None:
        raise EventNotFound(uid)
    return receipt(found) | {"payload": found.payload}


def receipt(event: Event, started: Sequence[Workflow] = ()) -> Json:
    """What became of an event, as its sender is told; `started` are its workflows when they were just stored."""
    if started:
        return _json(event, {str(workflow.uid): workflow.status for workflow in started})
    return _events([event])[0]


def search_events(*, source: str = "", matched: bool | None = None, limit: int, cursor: str | None = None) -> EventPage:
    """Newest first, without payloads. `matched`: a trigger was true or a waiting step took it. Raises BadCursor."""
    found = _filtered(Event.objects.newest_first().defer("payload"), source, matched)
    found = found.filter(pk__lt=_parse(cursor)) if cursor else found
    rows = list(found[: limit + 1])
    has_more = len(rows) > limit
    return EventPage(_events(rows[:limit]), _cursor(rows[limit - 1].pk) if has_more else None)


def _filtered(found: EventQuerySet, source: str, matched: bool | None) -> EventQuerySet:
    found = found.filter(source=source) if source else found
    if matched is None:
        return found
    is_matched = Q(match_at__gt=0) | ~Q(deliveries=[])
    return found.annotate(match_at=StrIndex(Cast("matches", TextField()), Value(MATCHED))).filter(is_matched if matched else ~is_matched)


def _events(rows: Sequence[Event]) -> list[Json]:
    """One statement more, however many they are."""
    started = {match["workflowId"] for row in rows for match in row.matches} - {None}
    statuses = _statuses(started) if started else {}
    return [_json(row, statuses) for row in rows]


def _statuses(uids: set[str]) -> dict[str, str]:
    session = Session()
    rows = session.run(session.statements.workflow_statuses, batch=[{"key": uid.replace("-", "")} for uid in uids])
    return {str(uuid.UUID(uid)): status for uid, status in rows}


def _json(row: Event, statuses: Mapping[str, str]) -> Json:
    """Workflows that were deleted since are left out; the templates still name them."""
    workflows = [
        {"id": match["workflowId"], "templateId": match["template"], "status": statuses[match["workflowId"]]}
        for match in row.matches
        if match["workflowId"] in statuses
    ]
    return {
        "id": str(row.uid),
        "receivedAt": iso(row.received_at),
        "source": row.source,
        "idempotencyKey": row.idempotency_key,
        "chainDepth": row.chain_depth,
        "workflows": workflows,
        "templates": row.matches,
        "deliveries": row.deliveries,
        "message": _message(row),
    }


def _message(row: Event) -> str:
    started, took = sum(match["workflowId"] is not None for match in row.matches), len(row.deliveries)
    said = [_count(started, "workflow", "started")] if started else []
    said += [_count(took, "waiting step", "took it")] if took else []
    if said:
        return " and ".join(said) + "."
    if any(match["matched"] for match in row.matches):
        return NOT_STARTED
    return NO_MATCH if row.matches else NO_TEMPLATE


def _count(number: int, noun: str, what: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''} {what}"


def _cursor(pk: int) -> str:
    return base64.urlsafe_b64encode(str(pk).encode()).decode().rstrip("=")


def _parse(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
        pk = int(text) if text.isdecimal() and len(text) < 19 else 0
    except (ValueError, binascii.Error):
        pk = 0
    if not pk:
        raise BadCursor
    return pk
