"""The form that makes or changes a schedule: what was typed, what is wrong with it, and when it would come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.http import QueryDict

from workflows_app.catalog import schedules
from workflows_app.dashboard import params_form, start_values
from workflows_app.dashboard.looks import Moment, moment
from workflows_app.engine import cron
from workflows_app.models import Schedule, Template

Json = Any
DEFAULT_CRON = "0 9 * * MON-FRI"
TEXTS = {"name": 100, "cron": 200, "timezone": 100, "overlap": 10, "catch_up": 10}
EXAMPLES = (
    ("*/15 * * * *", "every 15 minutes"),
    ("0 * * * *", "every hour"),
    ("0 9 * * MON-FRI", "weekdays at 09:00"),
    ("30 2 * * *", "every night at 02:30"),
    ("0 0 1 * *", "on the first of the month"),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """The values by field, the parameters apart, and what is wrong with them."""

    values: Mapping[str, Any]
    params: Mapping[str, Json]
    errors: Mapping[str, str] = field(default_factory=dict)
    params_errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """A cron expression in words with its next times; or what is wrong with it. `here` are those times as clocks there show them."""

    words: str = ""
    upcoming: tuple[tuple[Moment, str], ...] = ()
    error: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """`values` and `errors` by field; `problems` belong to no field."""

    template: Template
    values: Mapping[str, str]
    errors: Mapping[str, str]
    fields: list[params_form.Field]
    problems: list[str]
    preview: Preview


def build(template: Template, typed: Typed, *, now: datetime) -> Form:
    schema = template.current.params_schema if template.current else {}
    fields = params_form.fields(schema, typed.params, typed.params_errors)
    return Form(
        template=template,
        values=typed.values,
        errors=typed.errors,
        fields=fields,
        problems=params_form.problems(fields, typed.params_errors),
        preview=preview(typed.values["cron"], typed.values["timezone"], now=now),
    )


def preview(expression: str, timezone: str, *, now: datetime) -> Preview:
    try:
        found = schedules.preview(cron=expression, timezone=timezone, now=now)
    except schedules.InvalidSchedule as error:
        return Preview(error="; ".join(f"{name}: {message}" for name, message in error.errors.items()))
    return Preview(found.words, spelled(found.upcoming, timezone, now=now), timezone=timezone)


def spelled(times: list[datetime], timezone: str, *, now: datetime) -> tuple[tuple[Moment, str], ...]:
    """Each as a time of the page, and as a clock in its zone shows it."""
    told = [(moment(at, now=now), f"{at.astimezone(cron.zone(timezone)):%a %d %b %Y, %H:%M}") for at in times]
    return tuple((at, here) for at, here in told if at is not None)


def blank(template: Template) -> Typed:
    values = {
        "name": f"{template.name} on schedule"[:100],
        "cron": DEFAULT_CRON,
        "timezone": "UTC",
        "overlap": "allow",
        "catch_up": "latest",
    }
    return Typed(values, params_form.defaults(template.current.params_schema if template.current else {}))


def like(template: Template, source: str) -> Typed:
    """A blank form with the parameters of an earlier workflow, if there is such a one."""
    earlier = start_values.earlier(template, source) if source else None
    found = blank(template)
    return replace(found, params=earlier.params) if earlier else found


def of(row: Schedule) -> Typed:
    return Typed({name: str(getattr(row, name)) for name in TEXTS}, row.params)


def posted(template: Template, query: QueryDict) -> Typed:
    """What is not sent is as in a blank form: the start form sends only the parameters. NUL, which no database keeps, is dropped."""
    values = {
        **blank(template).values,
        **{name: str(query[name]).replace("\0", "")[:most] for name, most in TEXTS.items() if name in query},
    }
    given = start_values.read(template.current.params_schema if template.current else {}, query)
    return Typed(values, given.params, params_errors={"": given.error} if given.error else {})
