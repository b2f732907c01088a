"""What a person wants to know first: what runs, what fails, what waits for them, whether work goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.urls import reverse

from workflows_app.catalog import approvals
from workflows_app.dashboard import histogram, lanes, living, paging, same_errors, snapshot, view_tabs, workflow_rows
from workflows_app.dashboard.filters import of_text
from workflows_app.dashboard.histogram import Histogram
from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.dashboard.looks import Moment, moment, plural
from workflows_app.engine import report
from workflows_app.engine.report.pulse import pulse
from workflows_app.models import Schedule, Step, Template, Workflow

MOST_ERRORS, MOST_ROWS, MOST_SCHEDULES, MOST_COUNTED = 5, 6, 5, 10_000
FINISHED = "status=completed,failed,stopped&since=1h"
DUE = ("available_at", "node_id", "workflow__name", "workflow__uid")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to the list that explains it."""

    words: str
    value: str
    note: str
    url: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """Workflows that failed with the same error."""

    error: str
    count: str
    url: str


@dataclass(frozen=True, slots=True)
class Next:
    uid: str
    name: str
    template: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class Overview:
    """`status` is the tone of the line `health`; `sample` names a template that everybody can start at once, where there is one."""

    status: str
    health: str
    figures: list[Figure]
    histogram: Histogram
    failing: list[Failing]
    running: list[workflow_rows.Row]
    finished: list[workflow_rows.Row]
    schedules: list[Next]
    has_any: bool
    sample: str
    poll_milliseconds: int
    now: str


def tag(reader: User, *, now: datetime) -> str:
    """Changes with the workflows, the schedules, the workers, and once a minute: most figures age."""
    found = pulse()
    parts = (reader.pk, found.schedules, living.count(now), int(now.timestamp()) // 60)
    return f"{found.workflows}-{snapshot.digest(parts)}"


def build(reader: User, *, now: datetime) -> Overview:
    health = report.health(now)
    running, everything = of_text(view_tabs.RUNNING), of_text("")
    has_active = Workflow.objects.active().exists()
    return Overview(
        status=health["status"],
        health=_health(health),
        figures=_figures(reader, now),
        histogram=histogram.build(everything, now=now),
        failing=_failing(now),
        running=workflow_rows.rows(_rows(paging.find(lanes.of(running, now=now), limit=MOST_ROWS).ids), running, now=now),
        finished=workflow_rows.rows(_last_finished(), everything, now=now),
        schedules=_next(now),
        has_any=has_active or Workflow.objects.exists(),
        sample=_sample(),
        poll_milliseconds=LIST_MILLISECONDS if has_active else IDLE_MILLISECONDS,
        now=now.isoformat(),
    )


def _health(health: dict[str, object]) -> str:
    parts = health["components"]
    said = [str(part["message"]) for part in parts.values() if part.get("message")] if isinstance(parts, dict) else []
    return " ".join(said) or "Healthy: workers live, and nothing waits for one too long."


def _figures(reader: User, now: datetime) -> list[Figure]:
    here, ended = reverse("dashboard:workflows"), _ended(now)
    running = view_tabs.count(of_text(view_tabs.RUNNING), now=now)
    failing = view_tabs.count(of_text(view_tabs.FAILING), now=now)
    waiting = approvals.waiting_count(reader)
    workflows, asked = "workflow" if running == "1" else "workflows", "approval" if waiting == 1 else "approvals"
    return [
        Figure("Running now", running or "0", workflows, f"{here}?{view_tabs.RUNNING}", "running" if running else ""),
        Figure("Failing now", failing or "0", "failed in the last 24 h", f"{here}?{view_tabs.FAILING}", "failed" if failing else ""),
        Figure("Waiting for me", f"{waiting:,}", asked, reverse("dashboard:approvals"), "waiting" if waiting else ""),
        Figure("Finished", ended[0], f"in the last hour; {ended[1]} in 24 h", f"{here}?{FINISHED}"),
        _oldest(now),
    ]


def _ended(now: datetime) -> tuple[str, str]:
    """In the last hour and in the last day, by the index of ends."""
    counts = [Workflow.objects.final().filter(ended_at__gte=now - timedelta(hours=hours))[:MOST_COUNTED].count() for hours in (1, 24)]
    return f"{counts[0]:,}{'+' if counts[0] == MOST_COUNTED else ''}", f"{counts[1]:,}{'+' if counts[1] == MOST_COUNTED else ''}"


def _oldest(now: datetime) -> Figure:
    """The step that has been due for the longest."""
    url = reverse("dashboard:workers")
    due = [Step.objects.due(now).filter(concurrency_key__isnull=is_free) for is_free in (True, False)]
    found = [step for steps in due if (step := steps.order_by("available_at").select_related("workflow").only(*DUE).first())]
    step = min(found, key=lambda one: one.available_at or now, default=None)
    since = moment(step.available_at, now=now) if step else None
    if step is None or since is None:
        return Figure("Oldest waiting", "–", "no step waits for a worker", url)
    return Figure("Oldest waiting", since.words.removesuffix(" ago"), f"{step.node_id} of {step.workflow.name}", url, "waiting")


def _failing(now: datetime) -> list[Failing]:
    here, filters = reverse("dashboard:workflows"), of_text(view_tabs.FAILING)
    counted: Counter[str] = same_errors.counted(filters, now=now)
    return [Failing(error, plural(n, "workflow"), here + same_errors.url(filters, error)) for error, n in counted.most_common(MOST_ERRORS)]


def _rows(ids: Sequence[int]) -> list[Workflow]:
    by_id = workflow_rows.listable().in_bulk(list(ids))
    return [by_id[id] for id in ids if id in by_id]


def _last_finished() -> list[Workflow]:
    ids = Workflow.objects.final().order_by("-ended_at").values_list("pk", flat=True)[:MOST_ROWS]
    return _rows(list(ids))


def _next(now: datetime) -> list[Next]:
    found = Schedule.objects.active().select_related("template").order_by("next_at")[:MOST_SCHEDULES]
    return [Next(str(one.uid), one.name, one.template.slug, moment(one.next_at, now=now)) for one in found]


def _sample() -> str:
    """A template that everybody can start at once, where there is one."""
    found = Template.objects.published().filter(is_bundled=True, slug="data_processing").values_list("slug", flat=True).first()
    return found or ""
