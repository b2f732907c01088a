"""Schedules as their pages show them: the list, and one with its next times and what it started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict

from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.dashboard.looks import Look, Moment, Took, look, moment, took
from workflows_app.dashboard.schedule_form import spelled
from workflows_app.engine import cron
from workflows_app.engine.report.pulse import pulse
from workflows_app.engine.report.schedules import all_schedules, started_by, upcoming
from workflows_app.engine.schedules import SCHEDULED_FOR
from workflows_app.graph.statuses import ACTIVE
from workflows_app.models import Schedule, Workflow

SHOWS = {"active": Q(next_at__isnull=False), "paused": Q(next_at__isnull=True), "faulty": ~Q(last_error="")}
WORDS = (("All", ""), ("Active", "active"), ("Paused", "paused"), ("Started nothing", "faulty"))
MOST_SHOWN = 500
DUE, PAUSED = Look("pending", "◷", "On"), Look("stopped", "■", "Paused")


@dataclass(frozen=True, slots=True)
class Last:
    uid: str
    look: Look
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """`here` is the next time as a clock in its zone shows it; `problem` why the last time started nothing."""

    uid: str
    name: str
    state: Look
    slug: str
    template: str
    words: str
    cron: str
    timezone: str
    next_at: Moment | None
    here: str
    last: Last | None
    last_at: Moment | None
    problem: str
    overlap: str


@dataclass(frozen=True, slots=True)
class Tab:
    word: str
    url: str
    count: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class SchedulesPage:
    rows: list[Row]
    tabs: list[Tab]
    template: str
    url: str
    more: int
    is_filtered: bool
    due_at: str
    poll_milliseconds: int
    now: str


@dataclass(frozen=True, slots=True)
class Started:
    """A workflow that it started; `planned` is the time it was for, None when somebody started it beside the times."""

    uid: str
    name: str
    look: Look
    planned: Moment | None
    at: Moment | None
    took: Took | None
    error: str


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """`is_withdrawn`: its template is gone, so that it can neither be resumed nor started."""

    row: Row
    upcoming: tuple[tuple[Moment, str], ...]
    started: list[Started]
    created_by: str
    created: Moment | None
    is_paused: bool
    is_withdrawn: bool
    due_at: str
    poll_milliseconds: int
    now: str


def tag() -> str:
    """Changes with every schedule, and with the workflows."""
    found = pulse()
    return f"{found.schedules}-{found.workflows}"


def build(query: QueryDict, *, now: datetime) -> SchedulesPage:
    show, template = query.get("show", ""), query.get("template", "").replace("\0", "")[:100]
    show = show if show in SHOWS else ""
    found = all_schedules(template)
    rows = list(found.filter(SHOWS[show])[: MOST_SHOWN + 1] if show else found[: MOST_SHOWN + 1])
    is_busy = any(row.last_workflow and row.last_workflow.status in ACTIVE for row in rows)
    soonest = min((row.next_at for row in rows if row.next_at), default=None)
    return SchedulesPage(
        rows=[row_of(row, now=now) for row in rows[:MOST_SHOWN]],
        tabs=_tabs(show, template),
        template=template,
        url=_url(show, template),
        more=len(rows) - MOST_SHOWN,
        is_filtered=bool(show or template),
        due_at=soonest.isoformat() if soonest else "",
        poll_milliseconds=_poll(soonest, is_busy=is_busy, now=now),
        now=now.isoformat(),
    )


def _tabs(show: str, template: str) -> list[Tab]:
    rows = Schedule.objects.filter(template__slug=template) if template else Schedule.objects.all()
    counts = rows.order_by().aggregate(all=Count("pk"), **{name: Count("pk", filter=rule) for name, rule in SHOWS.items()})
    return [Tab(word, _url(name, template), str(counts[name or "all"] or ""), name == show) for word, name in WORDS]


def _url(show: str, template: str) -> str:
    query = {key: value for key, value in (("show", show), ("template", template)) if value}
    return f"?{urlencode(query)}" if query else "?"


def row_of(row: Schedule, *, now: datetime) -> Row:
    last = row.last_workflow
    return Row(
        uid=str(row.uid),
        name=row.name,
        state=DUE if row.next_at else PAUSED,
        slug=row.template.slug,
        template=row.template.name,
        words=cron.words(row.cron),
        cron=row.cron,
        timezone=row.timezone,
        next_at=moment(row.next_at, now=now),
        here=_here(row),
        last=Last(str(last.uid), look(last.status), last.name) if last else None,
        last_at=moment(row.last_at, now=now),
        problem=row.last_error,
        overlap="never two at once" if row.overlap == Schedule.SKIP else "",
    )


def _here(row: Schedule) -> str:
    if row.next_at is None:
        return ""
    try:
        return f"{row.next_at.astimezone(cron.zone(row.timezone)):%a %d %b, %H:%M}"
    except cron.InvalidTimezone:
        return ""


def page_of(row: Schedule, *, now: datetime) -> SchedulePage:
    workflows = started_by(row)
    times = upcoming(row, now=now)
    is_busy = any(workflow.status in ACTIVE for workflow in workflows)
    return SchedulePage(
        row=row_of(row, now=now),
        upcoming=spelled(times, row.timezone, now=now) if times else (),
        started=[_started(workflow, now) for workflow in workflows],
        created_by=row.created_by.get_username() if row.created_by else "",
        created=moment(row.created_at, now=now),
        is_paused=row.next_at is None,
        is_withdrawn=row.template.deleted_at is not None or row.template.current_id is None,
        due_at=row.next_at.isoformat() if row.next_at else "",
        poll_milliseconds=_poll(row.next_at, is_busy=is_busy, now=now),
        now=now.isoformat(),
    )


def _poll(due_at: datetime | None, *, is_busy: bool, now: datetime) -> int:
    """One that is due is about to start something. `static/live.js` looks at `due_at` in any case."""
    return LIST_MILLISECONDS if is_busy or (due_at is not None and due_at <= now) else IDLE_MILLISECONDS


def _started(workflow: Workflow, now: datetime) -> Started:
    return Started(
        uid=str(workflow.uid),
        name=workflow.name,
        look=look(workflow.status),
        planned=_planned(workflow, now),
        at=moment(workflow.created_at, now=now),
        took=took(workflow.started_at, workflow.ended_at, now=now),
        error=workflow.error,
    )


def _planned(workflow: Workflow, now: datetime) -> Moment | None:
    """Metadata may come from an import: what is no time there is none."""
    try:
        return moment(datetime.fromisoformat(workflow.metadata[SCHEDULED_FOR]), now=now)
    except (KeyError, TypeError, ValueError):
        return None
