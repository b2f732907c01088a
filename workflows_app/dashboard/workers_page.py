"""Workers and backlog as their page shows them; the figures are those of `GET /api/health`, `/api/queue` and `/api/workers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from workflows_app.dashboard import list_page
from workflows_app.dashboard.live import LIST_MILLISECONDS
from workflows_app.dashboard.looks import Moment, moment, plural
from workflows_app.engine import report
from workflows_app.engine.liveness import live_workers
from workflows_app.models import Worker

MOST_STEPS, MOST_QUEUED = 6, 20
STATES = {
    "busy": ("running", "◐", "Busy"), "idle": ("completed", "✓", "Idle"), "draining": ("waiting", "◌", "Draining"),
    "silent": ("failed", "✕", "Silent"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """`fate` says what becomes of a silent worker's steps. No `heartbeat`: it is on this host and known to live now."""

    id: str
    place: str
    version: str
    look: Mapping[str, str]
    heartbeat: Moment | None
    began: Moment | None
    running: list[dict[str, Any]]
    more: str
    fate: str


@dataclass(frozen=True, slots=True)
class Figure:
    words: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class WorkersPage:
    """`verdict` is one line: whether it is healthy, and if not, why. `problems` are its reasons."""

    status: str
    verdict: str
    problems: list[str]
    figures: list[Figure]
    workers: list[WorkerRow]
    queued: list[dict[str, Any]]
    version: str
    poll_milliseconds: int
    now: str


def tag(now: datetime) -> str:
    """Changes with the workflows, with every heartbeat, and when a worker falls silent or drains."""
    alive = Worker.objects.filter(stopped_at__isnull=True)
    found = alive.aggregate(last=Max("heartbeat_at"), drained=Count("drain_requested_at"))
    heartbeat = found["last"] and found["last"].timestamp()
    return f"{list_page.tag()}-{heartbeat}-{found['drained']}-{len(live_workers(now=now))}"


def build(*, now: datetime) -> WorkersPage:
    health, queue = report.health(now), report.queue(now)
    rows = [_row(worker, now) for worker in report.workers(now)]
    problems = [f"{name.capitalize()}: {part['message']}" for name, part in health["components"].items() if part.get("message")]
    return WorkersPage(
        status=health["status"],
        verdict=_verdict(health["status"], rows, queue),
        problems=problems,
        figures=_figures(queue, now),
        workers=rows,
        queued=[{**step, "due": moment(step["availableAt"], now=now)} for step in queue["steps"][:MOST_QUEUED]],
        version=health["version"],
        poll_milliseconds=LIST_MILLISECONDS,
        now=now.isoformat(),
    )


def _verdict(status: str, rows: Sequence[WorkerRow], queue: Mapping[str, Any]) -> str:
    if status != "healthy":
        return f"{status.capitalize()}: see why below."
    due = queue["due"]
    backlog = f"{plural(due, 'step')} wait for a free one" if due else "nothing waits for one"
    return f"Healthy: {plural(len(rows), 'worker')}, {backlog}."


def _figures(queue: Mapping[str, Any], now: datetime) -> list[Figure]:
    oldest, following = moment(queue["oldestDueAt"], now=now), moment(queue["nextDueAt"], now=now)
    return [
        Figure("Due now", f"{queue['due']:,}", f"the oldest since {oldest.words}" if oldest else "no backlog"),
        Figure("Running", f"{queue['running']:,}", "steps that a worker holds"),
        Figure("On a timer", f"{queue['scheduled']:,}", f"the next one {following.words}" if following else "delays and retries"),
        Figure("Waiting", f"{queue['waiting']:,}", "for a step before them, or an answer"),
    ]


def _row(worker: Mapping[str, Any], now: datetime) -> WorkerRow:
    css, glyph, word = STATES[worker["state"]]
    return WorkerRow(
        id=worker["id"][:8],
        place=f"{worker['host']} · pid {worker['pid']}",
        version=worker["version"],
        look={"css": css, "glyph": glyph, "word": word},
        heartbeat=None if worker["sameHost"] and worker["state"] != "silent" else moment(worker["heartbeatAt"], now=now),
        began=moment(worker["startedAt"], now=now),
        running=worker["running"][:MOST_STEPS],
        more=plural(len(worker["running"]) - MOST_STEPS, "more step") if len(worker["running"]) > MOST_STEPS else "",
        fate=_fate(worker, now) if worker["state"] == "silent" else "",
    )


def _fate(worker: Mapping[str, Any], now: datetime) -> str:
    last = max((step["leaseExpiresAt"] for step in worker["running"] if step["leaseExpiresAt"]), default=None)
    lease = moment(last, now=now)
    when = (
        f"when their lease ends, {lease.words}" if lease and lease.words.startswith("in") else "as soon as one looks: their lease has ended"
    )
    return f"Its steps are given to another worker {when}."
