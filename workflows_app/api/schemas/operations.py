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
    workflow_name: str
    step_id: str
    action: str
    status: StatusName
    available_at: Moment
    age_seconds: float


class PauseOut(Shape):
    """`by` is null when it was paused on the command line."""

    since: Moment
    by: str | None
    reason: str


class ActionBacklogOut(Shape):
    action: str
    due: int
    oldest_seconds: float


class HolderOut(Shape):
    workflow_id: str
    workflow_name: str
    step_id: str
    start_time: Moment | None


class LimitOut(Shape):
    """A concurrency key that a step holds or is due for; `holders` are five of them at most, the longest first."""

    key: str
    limit: int
    running: int
    waiting: int
    oldest_seconds: float
    holders: list[HolderOut]


class SampleOut(Shape):
    at: Moment
    due: int
    running: int
    oldest_due_seconds: float


class QueueOut(BacklogOut):
    """`samples` of the last five minutes: one every ten seconds while anything was due or ran. `endedPerMinute` and
    `longestWaitSeconds` are of these five minutes, too."""

    paused: PauseOut | None
    by_priority: dict[Literal["high", "normal", "low"], int]
    by_action: list[ActionBacklogOut]
    limits: list[LimitOut]
    steps: list[QueuedStepOut]
    samples: list[SampleOut]
    longest_wait_seconds: float
    ended_per_minute: float
    failed_last_hour: int


class RunningStepOut(Shape):
    workflow_id: str
    workflow_name: str
    step_id: str
    action: str
    attempt: int
    start_time: Moment | None
    duration: str | None
    usual_seconds: float | None
    is_slow: bool
    lease_expires_at: Moment


class WorkerOut(Shape):
    """`draining`: finishes what it runs and takes no more. `silent`: not heard of for too long while it holds leases; they run out
    and its steps are taken back. `usualSeconds` of a step is the median of its last twenty in workflows that completed; `memoryBytes`
    what the process has resident, now or at its last heartbeat."""

    id: str
    host: str
    pid: int
    version: str
    state: Literal["busy", "idle", "draining", "silent"]
    started_at: Moment
    same_host: bool
    heartbeat_at: Moment
    drain_requested_at: Moment | None
    memory_bytes: int | None
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
