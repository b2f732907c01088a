"""Workflows and steps going out."""

from __future__ import annotations

from typing import Literal

from workflows_app.api.schemas.base import Json, Moment, Shape, StatusName


class WaitingForOut(Shape):
    """One thing that a step waits for: in words, and the id or the time where it has one."""

    kind: Literal["step", "time", "worker", "limit", "pause", "trigger", "approval", "event", "workflow", "elements", "answer"]
    id: str | None
    at: Moment | None
    text: str


class StepOut(Shape):
    id: str
    name: str
    action: str
    status: StatusName
    dependencies: list[str]
    outputs: Json
    error: str | None
    start_time: Moment | None
    end_time: Moment | None
    duration: str | None
    logs: list[str]
    metadata: dict[str, Json]
    attempts: int
    max_attempts: int
    available_at: Moment | None
    waiting_for: list[WaitingForOut]


class AttemptOut(Shape):
    """An ended claim of the step; a running one is in the step itself. `lateResult`: what its worker reported after the lease had
    been lost (`cancelled`: it was told to end when it came back); it was refused."""

    number: int
    outcome: Literal["completed", "skipped", "failed", "retried", "crashed", "stopped", "released"]
    late_result: str | None
    error: str | None
    worker_id: str
    start_time: Moment
    end_time: Moment
    duration: str


class StepDetailOut(StepOut):
    attempt_history: list[AttemptOut]


class BranchOut(Shape):
    step: str
    case: str
    next: list[str]


class MetricsOut(Shape):
    """Seconds: from start to end, of steps at work, and of steps that stood ready before a worker took them."""

    steps: int
    statuses: dict[StatusName, int]
    skipped: int
    attempts: int
    retries: int
    total_seconds: float
    run_seconds: float
    queued_seconds: float


class WorkflowOut(Shape):
    id: str
    name: str
    status: StatusName
    steps: list[StepOut]
    created_at: Moment
    updated_at: Moment
    description: str
    tags: list[str]
    progress: int
    parent_id: str | None
    branches: list[BranchOut]
    metrics: MetricsOut
    template_id: str | None
    template_version: int | None
    params: dict[str, Json]
    start_time: Moment | None
    end_time: Moment | None
    duration: str | None
    error: str | None
    metadata: dict[str, Json]


class LogLineOut(Shape):
    number: int
    at: Moment
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    attempt: int
    message: str


class LogLinesOut(Shape):
    """`next` is the `after` of the next call."""

    lines: list[LogLineOut]
    next: int
