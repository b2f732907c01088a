"""Schedules: templates that are started by the clock. Made, changed, paused, resumed, deleted, and started beside their times."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError

from workflows_app.catalog.templates import find as find_template
from workflows_app.dialects.params import accept
from workflows_app.engine import cron as clock
from workflows_app.engine import schedules as engine
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.locking import hold
from workflows_app.engine.sql.transaction import write
from workflows_app.models import Schedule, TemplateVersion, Workflow

Json = Any
SHOWN = 5
MAX_NAME = 100
CHANGEABLE = ("name", "cron", "timezone", "params", "overlap", "catch_up")
CHOICES: Mapping[str, tuple[str, ...]] = {"overlap": (Schedule.ALLOW, Schedule.SKIP), "catch_up": (Schedule.LATEST, Schedule.NONE)}


class ScheduleNotFound(LookupError):
    def __init__(self, uid: object) -> None:
        super().__init__(f"Schedule {uid} not found")


class ScheduleNameTaken(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is another schedule named {name!r}: choose another name")


class InvalidSchedule(ValueError):
    """`errors` says what is wrong by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(f"{field}: {message}" for field, message in self.errors.items()))


@dataclass(frozen=True, slots=True)
class Preview:
    """A cron expression in words, and when it comes next."""

    words: str
    upcoming: list[datetime]


def preview(*, cron: str, timezone: str, now: datetime) -> Preview:
    """Raises InvalidSchedule."""
    _refuse(_misfits({"cron": cron, "timezone": timezone}))
    return Preview(clock.words(cron), clock.upcoming(cron, timezone, after=now, count=SHOWN))


def find(uid: object) -> Schedule:
    """With its template and its last workflow. Raises ScheduleNotFound, also for what is no UUID."""
    try:
        key = uuid.UUID(str(uid))
    except ValueError:
        raise ScheduleNotFound(uid) from None
    found = Schedule.objects.select_related("template__current", "last_workflow", "created_by").filter(uid=key).first()
    if found is None:
        raise ScheduleNotFound(uid)
    return found


def create(
    *,
    name: str,
    template: str,
    cron: str,
    timezone: str = "UTC",
    params: Mapping[str, Json] | None = None,
    overlap: str = Schedule.ALLOW,
    catch_up: str = Schedule.LATEST,
    is_paused: bool = False,
    by: AbstractBaseUser | None,
    now: datetime,
) -> Schedule:
    """`params` are kept as they are given: defaults are those of the version that a fire starts.
    Raises UnknownTemplate, InvalidSchedule, InvalidParams, ScheduleNameTaken."""
    found, values = find_template(template), {"name": name.strip(), "cron": _tidy(cron), "timezone": timezone.strip()}
    values |= {"overlap": overlap, "catch_up": catch_up}
    _refuse(_misfits(values))
    given = _accepted(found.current, params or {})
    next_at = None if is_paused else clock.following(values["cron"], values["timezone"], after=now)
    try:
        with write():
            return Schedule.objects.create(
                template=found, params=given, next_at=next_at, created_by_id=by.pk if by else None, created_at=now, updated_at=now, **values
            )
    except IntegrityError:
        raise ScheduleNameTaken(name) from None


def update(*, uid: object, now: datetime, **changes: Json) -> Schedule:
    """Of CHANGEABLE, what is left out stays. The next time is told anew when `cron` or `timezone` change; a paused one stays paused.
    Raises ScheduleNotFound, InvalidSchedule, InvalidParams, ScheduleNameTaken."""
    while not _change(row := find(uid), now, _checked(row, now, changes)):
        pass  # somebody else just changed it
    return find(uid)


def _checked(row: Schedule, now: datetime, changes: Mapping[str, Json]) -> dict[str, Json]:
    values = {name: value.strip() if name in {"name", "timezone"} else value for name, value in changes.items() if name in CHANGEABLE}
    if "cron" in values:
        values["cron"] = _tidy(values["cron"])
    _refuse(_misfits({**{name: getattr(row, name) for name in CHANGEABLE}, **values}))
    if "params" in values:
        values["params"] = _accepted(row.template.current, values["params"])
    if row.next_at is not None and (values.get("cron", row.cron), values.get("timezone", row.timezone)) != (row.cron, row.timezone):
        values["next_at"] = clock.following(values.get("cron", row.cron), values.get("timezone", row.timezone), after=now)
    return values


def pause(*, uid: object, now: datetime) -> Schedule:
    """Pausing what is paused changes nothing. Raises ScheduleNotFound."""
    while not _change(find(uid), now, {"next_at": None}):
        pass  # somebody else just changed it
    return find(uid)


def resume(*, uid: object, now: datetime) -> Schedule:
    """From now on: what came by while it was paused is not caught up on. Raises ScheduleNotFound, NotAllowed, InvalidSchedule."""
    row = find(uid)
    _version_of(row)
    while row.next_at is None:
        _refuse(_misfits({"cron": row.cron, "timezone": row.timezone}))
        if _change(row, now, {"next_at": clock.following(row.cron, row.timezone, after=now), "last_error": ""}):
            break
        row = find(uid)
    return find(uid)


def delete(*, uid: object) -> None:
    """The workflows that it started stay. Raises ScheduleNotFound."""
    row = find(uid)
    with write():
        hold(Schedule.objects.filter(pk=row.pk))  # a fire that is on its way gets through before, or finds nothing
        row.delete()


def run_now(*, uid: object, by: AbstractBaseUser | None, now: datetime) -> Workflow:
    """One workflow beside its times. Raises ScheduleNotFound, NotAllowed, InvalidParams."""
    row = find(uid)
    order = engine.order_of(row, _version_of(row), started_by_id=by.pk if by else None)
    return engine.start_now(schedule=row, order=order, now=now)


def _version_of(row: Schedule) -> TemplateVersion:
    version = engine.versions_of([row]).get(row.template_id)
    if version is None:
        raise NotAllowed(engine.withdrawn(row.template.slug))
    return version


def _accepted(version: TemplateVersion | None, params: Json) -> Json:
    """Raises InvalidParams."""
    if version is not None:
        accept(version.params_schema, params)
    return dict(params)


def _tidy(cron: str) -> str:
    return " ".join(cron.split())


def _misfits(values: Mapping[str, Json]) -> dict[str, str]:
    found = {name: f"must be {' or '.join(known)}" for name, known in CHOICES.items() if values.get(name, known[0]) not in known}
    if "name" in values and not (values["name"] and len(values["name"]) <= MAX_NAME and values["name"].isprintable()):
        found["name"] = f"must be 1 to {MAX_NAME} visible characters"
    return found | _of_time(values["cron"], values["timezone"])


def _of_time(cron: str, timezone: str) -> dict[str, str]:
    """Each is looked at even when the other is wrong."""
    found: dict[str, str] = {}
    try:
        clock.zone(timezone)
    except clock.InvalidTimezone as error:
        found["timezone"] = str(error)
    try:
        clock.check(cron, "UTC")
    except clock.InvalidCron as error:
        found["cron"] = str(error)
    return found


def _refuse(errors: Mapping[str, str]) -> None:
    if errors:
        raise InvalidSchedule(errors)


def _change(row: Schedule, now: datetime, values: Mapping[str, Json]) -> bool:
    """Whether nobody else changed it since it was read. `updated_at` tells a fire that was planned before that it must look again: so it
    moves by a microsecond at least."""
    changed = max(now, row.updated_at + timedelta(microseconds=1))
    try:
        with write():
            return Schedule.objects.filter(pk=row.pk, updated_at=row.updated_at).update(updated_at=changed, **values) == 1
    except IntegrityError:
        raise ScheduleNameTaken(values.get("name", row.name)) from None
