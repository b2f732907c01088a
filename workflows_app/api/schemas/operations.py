"""Backlog, workers, counters and health going out."""

from __future__ import annotations

from typing import Literal

from workflows_app.api.schemas.base import Json, Moment, Shape, StatusName

HealthWord = Literal["healthy", "degraded", "unhealthy"]


class BacklogOut(Shape):
    """`due` may be claimed now, `scheduled` waits for its time, `waiting` for a step or an answer."""

    due: int
    scheduled: int
    running: int
    waiting: int
    oldest_due_at: Moment | None
    oldest_due_seconds: float
    next_due_at: Moment | None


class QueuedStepOut(Shape):
    workflow_id: str
    step_id: str
    action: str
    status: StatusName
    available_at: Moment
    age_seconds: float


class QueueOut(BacklogOut):
    by_priority: dict[Literal["high", "normal", "low"], int]
    steps: list[QueuedStepOut]


class RunningStepOut(Shape):
    workflow_id: str
    workflow_name: str
    step_id: str
    action: str
    attempt: int
    start_time: Moment | None
    duration: str | None
    lease_expires_at: Moment


class WorkerOut(Shape):
    """`draining`: finishes what it runs and takes no more. `silent`: not heard of for too long while it holds leases; they run out
    and its steps are taken back."""

    id: str
    host: str
    pid: int
    version: str
    state: Literal["busy", "idle", "draining", "silent"]
    started_at: Moment
    same_host: bool
    heartbeat_at: Moment
    running: list[RunningStepOut]


class RecentOut(Shape):
    started: int
    completed: int
    failed: int
    stopped: int
    steps_done: int


class StatsOut(Shape):
    timestamp: Moment
    workflows: dict[str, int]
    last24_hours: RecentOut
    steps: BacklogOut
    workers: int
    templates: int


class HealthOut(Shape):
    """Strangers see each component's `status` only."""

    status: HealthWord
    timestamp: Moment
    version: str
    components: dict[Literal["database", "queue", "workers", "scheduler"], dict[str, Json]]
