"""Schedules as the API and the pages show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from workflows_app.engine import cron
from workflows_app.engine.report.times import iso
from workflows_app.models import Schedule, Workflow

UPCOMING, LATEST = 5, 20


def all_schedules(template: str = "") -> QuerySet[Schedule]:
    """By name, with what their rows show and nothing large."""
    rows = Schedule.objects.select_related("template", "last_workflow", "created_by").order_by("name", "pk")
    rows = rows.only(
        *(field.name for field in Schedule._meta.concrete_fields),
        "template__slug", "template__name", "template__deleted_at", "template__current_id",
        "last_workflow__uid", "last_workflow__name", "last_workflow__status", "created_by__username",
    )  # fmt: skip
    return rows.filter(template__slug=template) if template else rows


def schedule_json(row: Schedule) -> dict[str, Any]:
    last = row.last_workflow
    return {
        "id": str(row.uid),
        "name": row.name,
        "template": row.template.slug,
        "cron": row.cron,
        "words": cron.words(row.cron),
        "timezone": row.timezone,
        "params": row.params,
        "overlap": row.overlap,
        "catchUp": row.catch_up,
        "isPaused": row.next_at is None,
        "nextAt": iso(row.next_at),
        "lastAt": iso(row.last_at),
        "lastError": row.last_error or None,
        "lastWorkflow": {"id": str(last.uid), "status": last.status} if last else None,
        "createdBy": row.created_by.get_username() if row.created_by else None,
        "createdAt": iso(row.created_at),
        "updatedAt": iso(row.updated_at),
    }


def schedule_detail(row: Schedule, *, now: datetime) -> dict[str, Any]:
    """And when it comes next; of a paused one, when it would."""
    return {**schedule_json(row), "upcoming": [iso(at) for at in upcoming(row, now=now)]}


def upcoming(row: Schedule, *, now: datetime) -> list[datetime]:
    """None where its time cannot be told on this host."""
    try:
        return cron.upcoming(row.cron, row.timezone, after=now, count=UPCOMING)
    except (cron.InvalidCron, cron.InvalidTimezone):
        return []


def started_by(row: Schedule) -> list[Workflow]:
    """The latest that it started, the newest first."""
    rows = Workflow.objects.filter(schedule=row).order_by("-id")
    return list(rows.only("uid", "name", "status", "created_at", "started_at", "ended_at", "error", "metadata", "started_by_id")[:LATEST])
