"""Workers as their page shows them: how each is, what it runs, what becomes of its steps, what can be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from workflows_app.dashboard.looks import Look, Moment, Took, moment, plural, took
from workflows_app.dashboard.progress import span
from workflows_app.engine.report import workers
from workflows_app.engine.report.standing import Standing
from workflows_app.models import Worker

MOST_STEPS = 6
MIB = 2**20
STATES = {
    "busy": Look("running", "◐", "Busy"), "idle": Look("completed", "✓", "Idle"), "draining": Look("waiting", "◌", "Draining"),
    "silent": Look("failed", "✕", "Silent"),
}  # fmt: skip
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """A step that runs now. `usual` is how long it takes as a rule, where that is known."""

    workflow: str
    name: str
    step: str
    attempt: int
    took: Took | None
    usual: str
    is_slow: bool


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """`fate` says what becomes of a silent worker's steps, `rest` what a draining one is about; `drain` what draining it would do. No
    `heartbeat`: it is on this host and known to live now. `other` names its version where it is not this one."""

    id: str
    key: str
    place: str
    other: str
    look: Look
    heartbeat: Moment | None
    began: Moment | None
    memory: str
    running: list[Running]
    more: str
    fate: str
    rest: str
    drain: str


def rows(now: datetime, standing: Standing | None = None) -> list[WorkerRow]:
    found = workers(now, standing)
    last = _last_of_their_groups([worker for worker in found if worker["state"] in ("busy", "idle")], found)
    return [_row(worker, worker["id"] in last, now) for worker in found]


def _row(worker: Json, is_last: bool, now: datetime) -> WorkerRow:
    steps, state = worker["running"], worker["state"]
    return WorkerRow(
        id=worker["id"][:8],
        key=worker["id"],
        place=f"{worker['host']} · pid {worker['pid']}",
        other=worker["version"] if worker["version"] not in ("", settings.VERSION) else "",
        look=STATES[state],
        heartbeat=None if worker["sameHost"] and state != "silent" else moment(worker["heartbeatAt"], now=now),
        began=moment(worker["startedAt"], now=now),
        memory=f"{worker['memoryBytes'] / MIB:,.0f} MB" if worker["memoryBytes"] else "",
        running=[_running(step, now) for step in steps[:MOST_STEPS]],
        more=plural(len(steps) - MOST_STEPS, "more step") if len(steps) > MOST_STEPS else "",
        fate=_fate(steps, now) if state == "silent" else "",
        rest=_rest(steps) if state == "draining" else "",
        drain=_drain(steps, is_last) if state in ("busy", "idle") else "",
    )


def _running(step: Json, now: datetime) -> Running:
    began, usually = datetime.fromisoformat(step["startTime"]), step["usualSeconds"]
    return Running(
        workflow=step["workflowId"],
        name=step["workflowName"],
        step=step["stepId"],
        attempt=step["attempt"],
        took=took(began, None, now=now),
        usual=span(usually) if usually is not None else "",
        is_slow=step["isSlow"],
    )


def _fate(steps: Sequence[Json], now: datetime) -> str:
    last = max((step["leaseExpiresAt"] for step in steps if step["leaseExpiresAt"]), default=None)
    lease = moment(last, now=now)
    when = (
        f"when their lease ends, {lease.words}" if lease and lease.words.startswith("in") else "as soon as one looks: their lease has ended"
    )
    return f"Its steps are given to another worker {when}."


def _rest(steps: Sequence[Json]) -> str:
    return f"It finishes {plural(len(steps), 'step')} and takes no more." if steps else "It runs nothing and takes nothing."


def _drain(steps: Sequence[Json], is_last: bool) -> str:
    runs = f"It finishes the {plural(len(steps), 'step')} that it runs now" if steps else "It runs nothing now"
    ends = " It is the last of its group that takes steps: the group leaves then, and is not started again by itself." if is_last else ""
    return f"{runs}, and takes no more until this is undone. Nothing is interrupted.{ends}"


def _last_of_their_groups(takers: Sequence[Json], all: Sequence[Json]) -> set[str]:
    """Those without whom nobody of their group would take steps."""
    groups = dict(Worker.objects.filter(id__in=[worker["id"] for worker in all]).values_list("id", "group"))
    members: dict[str, list[str]] = defaultdict(list)
    for worker in takers:
        members[groups.get(worker["id"], "")].append(worker["id"])
    return {ids[0] for group, ids in members.items() if group and len(ids) == 1}
