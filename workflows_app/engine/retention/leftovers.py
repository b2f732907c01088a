"""What is old and hangs on no workflow any more: events, notifications, repairs, workers of hosts that are gone, unused definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, Model, OuterRef, QuerySet

from workflows_app.engine import site
from workflows_app.engine.retention.pace import Pace
from workflows_app.models import Definition, Event, Layout, Notification, NotificationRead, Repair, Step, TemplateVersion, Worker, Workflow

Found = QuerySet[Event] | QuerySet[Notification] | QuerySet[Repair] | QuerySet[Worker] | QuerySet[Definition]
UNUSED_FOR = timedelta(days=1)
PARTS: Mapping[type[Model], tuple[type[Model], str]] = {
    Notification: (NotificationRead, "notification_id"),
    Definition: (Layout, "definition_id"),
}


def remove(*, before: datetime | None, now: datetime, pace: Pace, counts: Counter[str]) -> None:
    """Older than `before` (None: only what nobody can refer to again)."""
    for rows in [*(_old(before) if before else ()), _unused_definitions(now)]:
        _remove(rows, pace, counts)


def _old(before: datetime) -> list[Found]:
    """An event stays as long as a workflow that it started, a notification as long as the one that it tells of."""
    started = Workflow.objects.filter(event_id=OuterRef("pk"))
    found: list[Found] = [
        Event.objects.filter(~Exists(started), received_at__lt=before, is_delivered=True),
        Notification.objects.filter(created_at__lt=before, workflow__isnull=True),
        Repair.objects.filter(at__lt=before),
    ]
    if connection.vendor != "sqlite":  # there an idle worker of this host does not write that it lives
        held = Step.objects.running().filter(worker_id=OuterRef("pk"))
        found.append(Worker.objects.filter(~Exists(held), heartbeat_at__lt=before).exclude(site=site.site_id()))
    return found


def _unused_definitions(now: datetime) -> QuerySet[Definition]:
    """`start.start_many` stores one again that goes just before its workflow comes."""
    versions, workflows = (model.objects.filter(definition_id=OuterRef("pk")) for model in (TemplateVersion, Workflow))
    return Definition.objects.filter(~Exists(versions), ~Exists(workflows), created_at__lt=now - UNUSED_FOR)


def _remove(rows: Found, pace: Pace, counts: Counter[str]) -> None:
    while found := [str(pk) for pk in rows.order_by().values_list("pk", flat=True)[: pace.size]]:
        with pace.short():
            again = rows.filter(pk__in=found)
            if rows.model in PARTS:
                parts, key = PARTS[rows.model]
                parts._default_manager.filter(**{f"{key}__in": found})._raw_delete("default")
            gone = again._raw_delete("default")
        counts[rows.model._meta.model_name or ""] += gone
        if not gone:
            return
