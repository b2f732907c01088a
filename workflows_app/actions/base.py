"""What an action is: configuration and context in, JSON out, `Retry`, `Fail` or `Wait` otherwise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from workflows_app.dialects.misfits import describe
from workflows_app.graph.expressions import is_templated

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
class Listen:
    """Which event ends a wait. `condition` is JSONLogic over the payload; with a `path` (`order.id`) the payload must hold `value`
    there. Events count that came in since this step began, or since its workflow did."""

    source: str = ""
    condition: Json = None
    path: str = ""
    value: Json = None
    since: Literal["step", "workflow"] = "step"


@dataclass(frozen=True, slots=True)
class Wait:
    """Returned instead of output: release the worker; run again with `context.resume = state` after `seconds`
    (`None`: only when the answer comes). The time is kept in the step's row and survives a restart.

    `answer` says who may answer before that: `approval` (a person) or `event` (what `listen` describes); then
    `context.answer` holds it. `shown` joins the step's metadata while it waits."""

    seconds: float | None
    state: Json
    reason: str
    answer: Literal["", "approval", "event"] = ""
    listen: Listen | None = None
    shown: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """Returned by a map: make a step of each element, at most `limit` of them at once (0: no limit). When all have ended (with
    `stop_on_failure`: when one failed) the action runs again with `context.elements`, in the order of the list."""

    elements: Sequence[Json]
    limit: int
    stop_on_failure: bool


@dataclass(frozen=True, slots=True)
class Element:
    """How one element of a map ended: a status of the contract, the output, the error."""

    status: str
    output: Json
    error: str


@dataclass(frozen=True, slots=True)
class Launch:
    """Returned by a sub-workflow: start this template. When it ended the action runs again with
    `context.answer = {"workflowId", "status", "output", "error"}`."""

    template: str
    params: Mapping[str, Json]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification to keep for the dashboard, for a role, a user, a channel, or (none of them) everybody."""

    title: str
    message: str
    level: str = "info"
    role: str = ""
    user: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Output with notifications that are stored together with it, once."""

    output: Json
    notices: Sequence[Notice]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Returned by a branch: its output, the case taken and the ids that may go on; other targets are skipped."""

    output: Json
    case: str
    next: tuple[str, ...]
    targets: tuple[str, ...]


Returned = Json | Wait | Chosen | Spread | Launch | Noted


class LogSink(Protocol):
    def __call__(self, level: str, message: str) -> None: ...


@dataclass(slots=True)
class Context:
    """What an attempt knows. `idempotency_key` is the same for every attempt of a step; `outputs` are those of upstream steps.
    `own_timeout_seconds` is the step's `timeout` where its author wrote one, `timeout_seconds` also the default.
    `chain_depth` counts the events that led here, one causing the next."""

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
    answer: Json = None
    elements: Sequence[Element] = ()
    timeout_seconds: float | None = None
    own_timeout_seconds: float | None = None
    chain_depth: int = 0
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


class Action(ABC):
    """One kind of step. Subclass, set `name` and `config`, implement `run`, and add a line to the registry.

    `run` is a coroutine, or a plain method when `is_instant` (it only computes). `raw` names the keys of the
    configuration that hold JSONLogic and so are not rendered as templates. A step without a timeout of its own
    gets `timeout_seconds`, or else the setting that `timeout_setting` names.
    """

    name: str
    config: ClassVar[type[BaseModel]]
    raw: ClassVar[frozenset[str]] = frozenset()
    is_instant: ClassVar[bool] = False
    in_thread: bool = False
    reads_upstream: ClassVar[bool] = False
    takes_secrets: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    body_key: ClassVar[str] = ""
    timeout_setting: ClassVar[str] = "step_timeout_default"
    timeout_seconds: float | None = None

    @abstractmethod
    def run(self, config: Any, context: Context) -> Returned | Awaitable[Returned]: ...

    def check(self, config: Mapping[str, Json]) -> list[tuple[str, str]]:
        """What is wrong with a configuration before it is rendered, as path and message. Unknown and missing keys
        are always found; a value that holds an expression is taken on trust."""
        try:
            self.config.model_validate(dict(config))
        except ValidationError as error:
            misfits = describe(self.config, error, config)
            return [(m.path, m.message) for m in misfits if m.is_key or isinstance(m.value, Mapping) or not is_templated(m.value)]
        return []

    def prepared(self, config: dict[str, Json]) -> dict[str, Json]:
        """The configuration as it is kept in the definition: here as the author wrote it."""
        return config

    def conditions(self, config: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
        """The JSONLogic in a configuration, each with the path to it."""
        return [(key, config[key]) for key in sorted(self.raw) if key in config]
