"""What an action is: configuration and context in, JSON out, `Retry`, `Fail` or `Wait` otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

Json = Any


class Config(BaseModel):
    """Base of every action's configuration (`with:`). Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Retry(Exception):
    """The attempt failed in a way that another may mend. `kind` is what `retry.on` names (`timeout`,
    `connection`, `"503"`, ...); `after_seconds` overrides the back-off (a server's Retry-After)."""

    def __init__(self, message: str, *, kind: str = "error", after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.after_seconds = after_seconds


class Fail(Exception):
    """The step failed for good: no further try."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Returned instead of output: release the worker; run again with `context.resume = state` after `seconds`
    (`None`: when somebody calls). The time is kept in the step's row and survives a restart."""

    seconds: float | None
    state: Json
    reason: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Returned by a branch: its output, the case taken and the ids that may go on; other targets are skipped."""

    output: Json
    case: str
    next: tuple[str, ...]
    targets: tuple[str, ...]


class LogSink(Protocol):
    def __call__(self, level: str, message: str) -> None: ...


@dataclass(slots=True)
class Context:
    """What an attempt knows. `idempotency_key` is the same for every attempt of a step; `outputs` are those of upstream steps."""

    workflow_id: str
    workflow_name: str
    step_id: str
    attempt: int
    idempotency_key: str
    params: Mapping[str, Json]
    outputs: Mapping[str, Json]
    sink: LogSink
    names: Mapping[str, Json] = field(default_factory=dict)
    resume: Json = None
    timeout_seconds: float | None = None
    is_cancelled: Callable[[], bool] = lambda: False
    report_progress: Callable[[float], None] = lambda fraction: None

    def log(self, message: object, *, level: str = "INFO") -> None:
        """Add a line (DEBUG, INFO, WARNING or ERROR) to the step's log, visible while the step runs."""
        self.sink(level, str(message))

    def progress(self, fraction: float) -> None:
        """How far the step is, from 0 to 1."""
        self.report_progress(min(1.0, max(0.0, fraction)))

    @property
    def cancelled(self) -> bool:
        """True once the workflow was stopped, the timeout passed or the worker is leaving: clean up and return."""
        return self.is_cancelled()


class Action:
    """One kind of step. Subclass, set `name` and `config`, implement `run`, and add a line to the registry.

    `run` is a coroutine, or a plain method when `is_instant` (it only computes). `raw` names the keys of the
    configuration that hold JSONLogic and so are not rendered as templates. `timeout_setting` is the setting with its default timeout.
    """

    name: ClassVar[str]
    config: ClassVar[type[BaseModel]]
    raw: ClassVar[frozenset[str]] = frozenset()
    is_instant: ClassVar[bool] = False
    in_thread: ClassVar[bool] = False
    reads_upstream: ClassVar[bool] = False
    timeout_setting: ClassVar[str] = "step_timeout_default"

    def run(self, config: Any, context: Context) -> Json | Wait | Chosen | Awaitable[Json | Wait | Chosen]:
        raise NotImplementedError(f"{type(self).__name__}.run")
