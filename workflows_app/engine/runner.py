"""Run one claimed step: render its configuration, call its action, and say what came of it. Touches no table."""

from __future__ import annotations

import asyncio
import inspect
import time
import traceback
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from django.conf import settings
from pydantic import ValidationError

from workflows_app import actions
from workflows_app.actions import tasks
from workflows_app.actions.base import Action, Context, Fail, Retry
from workflows_app.dialects.misfits import describe
from workflows_app.engine import outcomes, redaction
from workflows_app.engine.claims import Claim
from workflows_app.engine.clock import Clock
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.redaction import Redaction
from workflows_app.engine.transcript import Line, Room, Transcript
from workflows_app.graph.conditions import ConditionError, holds
from workflows_app.graph.expressions import ExpressionError, render

MAX_LINE_CHARACTERS = 10_000
MOST_ELSEWHERE, ELSEWHERE_SECONDS = 10, 3.0
MAX_READ_CHARACTERS = 1_000_000
LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})


class Run:
    """One attempt while it runs. The ledger thread reads it; the thread that runs the action writes it."""

    def __init__(self, claim: Claim, clock: Clock) -> None:
        self.claim, self.clock = claim, clock
        self.action: Action = _action(claim.node.action)
        self.redact = redaction.of(claim.secrets.values())
        self.lines = Transcript()
        self.is_cancelled = False
        self.is_settled = False
        self.is_alone = False
        self.started: float | None = None
        self.fraction: float | None = None
        self.cancelled_since: float | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def timeout_seconds(self) -> float:
        default: float = getattr(settings.ENV, self.action.timeout_setting)
        return self.claim.node.timeout_seconds or self.action.timeout_seconds or default

    def log(self, level: str, message: str) -> None:
        level = level if level in LEVELS else "INFO"
        text = outcomes.clip(self.redact.message(message[:MAX_READ_CHARACTERS]), MAX_LINE_CHARACTERS)
        line = {"step_id": self.claim.step_id, "attempt": self.claim.attempt, "at": self.clock.now(), "level": level, "message": text}
        self.lines.add(line)

    def take_lines(self, room: Room) -> list[Line]:
        """What was said since the last look, as much of it as there is room for."""
        return self.lines.take(room)

    def end_lines(self) -> list[Line]:
        """All that was said and not taken yet, when the attempt has ended; what is said later is too late."""
        return self.lines.end()

    def report_progress(self, fraction: float) -> None:
        self.fraction = fraction


class _Elsewhere(Exception):
    """This process cannot run the step; one of another release might."""


FORESEEN = Fail | Retry | _Elsewhere | ExpressionError | ConditionError


class _Missing(Action):
    """Stands for an action that this process does not know: its module is not, or not any more, among TASK_MODULES."""

    config = tasks.TaskParams
    is_instant = True

    def __init__(self, error: actions.UnknownAction) -> None:
        self.name, self._error = error.name, error

    def run(self, config: Any, context: Context) -> Any:
        raise _Elsewhere(str(self._error))


def _action(name: str) -> Action:
    try:
        return actions.find(name)
    except actions.UnknownAction as error:
        return _Missing(error)


def execute(run: Run) -> Outcome:
    """Run a plain function to its end, in the calling thread."""
    run.started = time.monotonic()
    try:
        prepared = _prepare(run)
        return _settle(run, prepared if isinstance(prepared, Outcome) else run.action.run(*prepared))
    except BaseException as error:  # noqa: BLE001  whatever an action raises, sys.exit() too, becomes its step's outcome
        return failure(run, error)


async def execute_async(run: Run) -> Outcome:
    """Run a coroutine to its end or its timeout, on the loop."""
    run.started = time.monotonic()
    try:
        prepared = _prepare(run)
        if isinstance(prepared, Outcome):
            return _settle(run, prepared)
        async with asyncio.timeout(run.timeout_seconds):
            value = run.action.run(*prepared)
            return _settle(run, await value if inspect.isawaitable(value) else value)
    except TimeoutError as error:
        return failure(run, timed_out(run) if _is_ours(run) else error)
    except BaseException as error:
        if run.is_cancelled and isinstance(error, asyncio.CancelledError):
            raise
        return failure(run, error)


def timed_out(run: Run) -> Retry:
    return Retry(f"The step took longer than its timeout of {run.timeout_seconds:g} s", kind="timeout")


def failure(run: Run, error: BaseException) -> Outcome:
    """What an exception means for the step: tried again, or failed for good."""
    message = _one_line(error, run.redact)
    if isinstance(error, _Elsewhere) and (run.claim.is_unreadable or run.claim.attempt < MOST_ELSEWHERE):
        return _left_for_another(run, message)
    kind, after = _kind(error), None
    if isinstance(error, Retry):
        after = error.after_seconds
    outcome = outcomes.failed(run.claim, message, at=run.clock.now(), kind=kind, after_seconds=after)
    if not isinstance(error, FORESEEN):
        run.log("ERROR", "".join(traceback.format_exception(error)).rstrip())
    run.log("WARNING" if outcome.available_at else "ERROR", _verdict(outcome, message))
    outcome.lines = run.end_lines()
    return outcome


def _left_for_another(run: Run, message: str) -> Outcome:
    """Beside this release an older or a newer one may run, which knows the action: it gets the time to take the step."""
    outcome = outcomes.released(run.claim, at=run.clock.now(), reason=message, after_seconds=ELSEWHERE_SECONDS)
    run.log("WARNING", f"This worker cannot run the step: {message}. It is left for another for {ELSEWHERE_SECONDS:g} s")
    outcome.lines = run.end_lines()
    return outcome


def _prepare(run: Run) -> tuple[Any, Context] | Outcome:
    """The action's checked configuration and its context, or the outcome when a condition rules the step out."""
    claim, node = run.claim, run.claim.node
    names = _names(claim)
    if node.run_if is not None and not holds(node.run_if, names):
        run.log("INFO", "Skipped: run_if is not true")
        return outcomes.skipped(claim, "run_if is not true", at=run.clock.now())
    raw = {key: node.config[key] for key in run.action.raw if key in node.config}
    templated = {key: value for key, value in node.config.items() if key not in raw}
    config = {**render(templated, {**names, "secrets": claim.secrets}), **raw} if node.config else {}
    return _configured(run.action, config), _context(run, names)


def _configured(action: Action, config: Mapping[str, Any]) -> Any:
    """What was rendered, as the action's model. Raises Fail in the words that the definition would have been refused with."""
    try:
        return action.config.model_validate(config)
    except ValidationError as error:
        misfits = describe(action.config, error, config)
        raise Fail("; ".join(f"with{'.' + misfit.path if misfit.path else ''}: {misfit.message}" for misfit in misfits)) from None


def _names(claim: Claim) -> Mapping[str, Any]:
    """What templates and conditions can see (CONTRACT.md section 3). `input` is the parameters, and where a step of that name is
    read, its `output`, `status` and `error` too."""
    workflow = claim.workflow
    element = {} if claim.parent_id is None else {"item": claim.element, "index": claim.index}
    return {
        **claim.upstream,
        **element,
        "params": workflow.params,
        "input": {**workflow.params, **claim.upstream.get("input", {})},
        "payload": workflow.params,
        "steps": claim.upstream,
        "workflow": {"id": workflow.uid, "name": workflow.name},
        "engine": {"url": settings.ENV.base_url},
    }


def _context(run: Run, names: Mapping[str, Any]) -> Context:
    claim = run.claim
    return Context(
        workflow_id=claim.workflow.uid, workflow_name=claim.workflow.name, step_id=claim.node_id, attempt=claim.attempt,
        idempotency_key=f"{claim.workflow.uid}:{claim.node_id}", params=claim.workflow.params,
        outputs={id: upstream["output"] for id, upstream in claim.upstream.items()}, sink=run.log, names=names,
        resume=claim.resume, answer=claim.answer, elements=claim.elements, chain_depth=claim.workflow.chain_depth,
        timeout_seconds=run.timeout_seconds, own_timeout_seconds=claim.node.timeout_seconds,
        is_cancelled=lambda: run.is_cancelled, report_progress=run.report_progress,
    )  # fmt: skip


def _settle(run: Run, value: Any) -> Outcome:
    if is_dataclass(value) or run.redact.hidden:
        outcomes.refuse_huge(value)
    outcome = value if isinstance(value, Outcome) else outcomes.returned(run.claim, run.redact.value(value), at=run.clock.now())
    outcome.lines = run.end_lines()
    return outcome


def _is_ours(run: Run) -> bool:
    return run.started is not None and time.monotonic() - run.started >= run.timeout_seconds * 0.99


def _kind(error: BaseException) -> str | None:
    """What `retry.on` calls this failure; None when trying again cannot help."""
    if isinstance(error, Retry):
        return str(error.kind)
    if isinstance(error, Fail | _Elsewhere | ExpressionError | ConditionError):
        return None
    return "timeout" if isinstance(error, TimeoutError) else "error"


def _one_line(error: BaseException, redact: Redaction) -> str:
    """Hidden before it is cut: of half a secret nobody would know that it is one."""
    text = redact.message(_text(error))
    if isinstance(error, FORESEEN):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}"


def _text(error: BaseException) -> str:
    """Its message; a task's own exception class may fail at saying it."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001  code of the action, too
        return f"(its message cannot be shown: {type(second).__name__})"


def _verdict(outcome: Outcome, message: str) -> str:
    if outcome.available_at is None:
        return f"Failed: {message}"
    seconds = (outcome.available_at - outcome.at).total_seconds()
    return f"Attempt {outcome.claim.attempt} failed: {message}. Next try in {seconds:.1f} s"
