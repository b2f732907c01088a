"""Schedules whose time has come: each fire is one transaction of its schedule's row and the workflow that it starts, so exactly one."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from workflows_app.dialects.params import InvalidParams, accept
from workflows_app.engine import cron, definitions, doorbell
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.locking import hold
from workflows_app.engine.sql.transaction import write
from workflows_app.engine.start import Order, place
from workflows_app.models import Definition, Notification, Schedule, TemplateVersion, Workflow

logger = logging.getLogger(__name__)
BATCH = 100
LATE = timedelta(seconds=60)
LOOKED_BACK = 50
SCHEDULED_FOR = "scheduledFor"


@dataclass(slots=True)
class Fire:
    """What one schedule does now: the fire of `at` starts `order`, or nothing because of `refusal`, which somebody has to mend when it
    `is_fault`. `next_at` is when it is due again; None pauses it."""

    schedule: Schedule
    at: datetime
    next_at: datetime | None
    order: Order | None = None
    refusal: str = ""
    is_fault: bool = False


def fire_due(*, now: datetime) -> int:
    """Fire every schedule that is due; how many workflows were started. Of several hosts that look at once, one does it."""
    started = 0
    while due := list(Schedule.objects.due(now).select_related("template").order_by("next_at", "pk")[:BATCH]):
        fires = sorted(_planned(due, now), key=lambda fire: fire.schedule.pk)
        started += _fire_together(fires, now)
    return started


def soonest() -> datetime | None:
    """When the next one is due: one entry of an index."""
    return Schedule.objects.active().order_by("next_at").values_list("next_at", flat=True).first()


def order_of(schedule: Schedule, version: TemplateVersion, **more: Any) -> Order:
    """The workflow that it starts. Raises InvalidParams: the template may have changed since."""
    template = version.template
    return Order(
        definition=version.definition, name=template.name, description=template.description, tags=template.tags,
        params=accept(version.params_schema, schedule.params), template_version=version, schedule_id=schedule.pk, **more,
    )  # fmt: skip


def versions_of(schedules: Sequence[Schedule]) -> Mapping[int, TemplateVersion]:
    """The version that each template's workflows start with, by template; none of those that were withdrawn."""
    current = [row.template.current_id for row in schedules if row.template.deleted_at is None and row.template.current_id]
    found = TemplateVersion.objects.filter(pk__in=current).select_related("template", "definition").defer("source")
    return {version.template_id: version for version in found}


def withdrawn(slug: str) -> str:
    return f"The template {slug!r} was withdrawn: publish it again and resume this schedule, or delete it"


def _planned(due: Sequence[Schedule], now: datetime) -> list[Fire]:
    """All that can be decided before the transaction is."""
    versions = versions_of(due)
    return [_plan(schedule, versions.get(schedule.template_id), now) for schedule in due]


def _plan(schedule: Schedule, version: TemplateVersion | None, now: datetime) -> Fire:
    due_at = schedule.next_at or now
    try:
        at = max(due_at, cron.latest(schedule.cron, schedule.timezone, until=now) or due_at)
        fire = Fire(schedule, at, cron.following(schedule.cron, schedule.timezone, after=now))
    except (cron.InvalidCron, cron.InvalidTimezone) as error:
        return Fire(schedule, due_at, None, refusal=f"It is paused, as its time cannot be told: {error}", is_fault=True)
    if version is None:
        return Fire(schedule, at, None, refusal=withdrawn(schedule.template.slug), is_fault=True)
    if schedule.catch_up == Schedule.NONE and now - at > LATE:
        fire.refusal = f"Nobody was there at {_words(at)} to start it, and it does not catch up"
    else:
        _give_order(fire, version)
    return fire


def _give_order(fire: Fire, version: TemplateVersion) -> None:
    stamp = fire.at.isoformat()
    key = f"schedule:{fire.schedule.uid}:{stamp}"
    named = {"idempotency_key": key, "idempotency_digest": hashlib.sha256(key.encode()).hexdigest(), "metadata": {SCHEDULED_FOR: stamp}}
    try:
        fire.order = order_of(fire.schedule, version, **named)
    except InvalidParams as error:
        fire.refusal, fire.is_fault = f"Its parameters do not fit {version.template.slug} v{version.number}: {error}", True


def _fire_together(fires: Sequence[Fire], now: datetime) -> int:
    """One transaction for all, as a commit costs the same for one as for a hundred; when one spoils it, each has its own."""
    try:
        started = _fire(fires, now)
    except (IntegrityError, IdempotencyConflict, Definition.DoesNotExist):
        started = sum(_fire_alone(fire, now) for fire in fires)
    if started:
        doorbell.ring()
    return started


def _fire_alone(fire: Fire, now: datetime) -> int:
    try:
        if fire.order is not None:
            definitions.keep(fire.order.definition)
        return _fire([fire], now)
    except (IntegrityError, IdempotencyConflict) as error:
        logger.warning("Schedule %s started nothing: %s", fire.schedule.name, error)
        fire.order, fire.refusal, fire.is_fault = None, f"It could not be started: {error}", True
        return _fire([fire], now)


def _fire(fires: Sequence[Fire], now: datetime) -> int:
    """`fires` are in the order of their keys, in which the rows are locked."""
    with write() as session:
        won = [fire for fire in fires if _is_mine(fire)]
        starting = [fire for fire in won if fire.order is not None and not _is_held_up(fire)]
        workflows = place(session, [fire.order for fire in starting if fire.order is not None], now)
        for fire, workflow in zip(starting, workflows, strict=True):
            Schedule.objects.filter(pk=fire.schedule.pk).update(last_workflow=workflow, last_error="")
        _keep_refusals([fire for fire in won if fire.refusal], now)
    return len(starting)


def _is_mine(fire: Fire) -> bool:
    """Of several who saw it due, one: and nobody when it was changed meanwhile, who looks again."""
    row = fire.schedule
    mine = Schedule.objects.filter(pk=row.pk, next_at=row.next_at, updated_at=row.updated_at)
    return mine.update(next_at=fire.next_at, last_at=fire.at) == 1


def _is_held_up(fire: Fire) -> bool:
    if fire.schedule.overlap == Schedule.SKIP and (earlier := _still_running(fire.schedule)):
        fire.refusal = f"At {_words(fire.at)} workflow {earlier} of an earlier time still ran, and it does not overlap"
    return bool(fire.refusal)


def _still_running(schedule: Schedule) -> str:
    """One of its latest workflows that has not ended."""
    latest = Workflow.objects.filter(schedule=schedule).order_by("-id").values_list("uid", "ended_at")[:LOOKED_BACK]
    return next((str(uid) for uid, ended_at in latest if ended_at is None), "")


def _keep_refusals(fires: Sequence[Fire], now: datetime) -> None:
    for fire in fires:
        Schedule.objects.filter(pk=fire.schedule.pk).update(last_error=fire.refusal)
    told = [_notice(fire, now) for fire in fires if fire.is_fault and fire.schedule.last_error != fire.refusal]
    Notification.objects.bulk_create(told)


def _notice(fire: Fire, now: datetime) -> Notification:
    """To who made it; said again only when the reason is another."""
    row = fire.schedule
    title = f"Schedule “{row.name}” started nothing"
    return Notification(title=title, message=fire.refusal[:10_000], level="error", user_id=row.created_by_id, created_at=now)


def start_now(*, schedule: Schedule, order: Order, now: datetime) -> Workflow:
    """A workflow beside its times, whatever runs already."""
    with write() as session:
        hold(Schedule.objects.filter(pk=schedule.pk))
        (workflow,) = place(session, [order], now)
        Schedule.objects.filter(pk=schedule.pk).update(last_workflow=workflow, last_error="")
    doorbell.ring()
    return workflow


def _words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
