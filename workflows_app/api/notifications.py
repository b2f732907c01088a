"""Notifications of the caller: list them, note that they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from workflows_app.access import notifications
from workflows_app.api.answers import answer
from workflows_app.api.auth import caller
from workflows_app.api.headers import next_link
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.notifications import MarkedOut, NotificationOut, NotificationQuery
from workflows_app.engine.clock import database_now
from workflows_app.engine.report import BadCursor
from workflows_app.engine.report.times import iso
from workflows_app.models import Notification

router = Router(tags=["notifications"], by_alias=True)


@router.get("", response={200: list[NotificationOut], (401, 422): Refusal}, summary="Your notifications, newest first")
def list_notifications(request: HttpRequest, query: Query[NotificationQuery]) -> HttpResponse:
    """Addressed to you, to a role of yours, to a channel or to everybody. The next page is in `Link`."""
    found = notifications.visible_to(caller(request), unread_only=query.unread).select_related("user", "workflow")
    if query.cursor:
        found = found.filter(pk__lt=_key(query.cursor))
    rows = list(found[: query.limit + 1])
    response = answer(_shown(rows[: query.limit], request))
    if len(rows) > query.limit:
        response["Link"] = next_link(request, str(rows[query.limit - 1].uid))
    return response


@router.post("/read-all", response={200: MarkedOut, 401: Refusal}, summary="Note that you have read all of them")
def read_all(request: HttpRequest) -> HttpResponse:
    return answer({"marked": notifications.mark_all_read(user=caller(request), now=database_now())})


@router.post("/{notification_id}/read", response={200: NotificationOut, (401, 404): Refusal}, summary="Note that you have read it")
def read_one(request: HttpRequest, notification_id: str) -> HttpResponse:
    """Once read it stays read; saying so again changes nothing."""
    row = notifications.mark_read(user=caller(request), uid=notification_id, now=database_now())
    return answer(_shown([row], request)[0])


def _key(cursor: str) -> int:
    """The cursor is the id of the last one seen. Raises BadCursor."""
    try:
        return Notification.objects.get(uid=notifications.parsed(cursor)).pk
    except (notifications.NotificationNotFound, Notification.DoesNotExist):
        raise BadCursor from None


def _shown(rows: Sequence[Notification], request: HttpRequest) -> list[dict[str, Any]]:
    read = notifications.read_among([row.pk for row in rows], user=caller(request))
    return [_json(row, is_read=row.pk in read) for row in rows]


def _json(row: Notification, *, is_read: bool) -> dict[str, Any]:
    return {
        "id": str(row.uid),
        "title": row.title,
        "message": row.message,
        "level": row.level,
        "user": row.user.get_username() if row.user else None,
        "role": row.role or None,
        "channel": row.channel or None,
        "workflowId": str(row.workflow.uid) if row.workflow else None,
        "stepId": row.node_id or None,
        "createdAt": iso(row.created_at),
        "isRead": is_read,
    }
