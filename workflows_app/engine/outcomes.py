"""Outcomes: what an attempt came to, as data, before it is recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from workflows_app.actions.base import Chosen, Fail, Launch, Listen, Noted, Notice, Spread, Wait
from workflows_app.engine import retry, sizes, transcript
from workflows_app.engine.claims import Claim
from workflows_app.engine.start import Order
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

MAX_ERROR_CHARACTERS = 4_000
MAP_SHARE = 8
Line = transcript.Line
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass(slots=True)
class Outcome:
    """One attempt's end. `recorded` is its entry in the attempt history (empty: the attempt goes on later).
    `output`, `resume` and `answer` are JSON text. What the action returned besides output is in `chosen`, `listen`, `spread`,
    `launch` or `notices`, to be done in the transaction that records the outcome."""

    claim: Claim
    status: Status
    recorded: str
    at: datetime
    output: str | None = None
    error: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    resume: str | None = None
    failed: int = 0
    crashed: int = 0
    available_at: datetime | None = None
    waits_for: str | None = None
    answer: str | None = None
    chosen: Chosen | None = None
    listen: Listen | None = None
    spread: Spread | None = None
    launch: Launch | None = None
    order: Order | None = None
    notices: Sequence[Notice] = ()
    lines: list[Line] = field(default_factory=list)
    is_substitute: bool = False

    @property
    def is_skipped(self) -> bool:
        return self.recorded == "skipped"

    @property
    def is_final(self) -> bool:
        return self.status in (Status.COMPLETED, Status.FAILED, Status.STOPPED)


def returned(claim: Claim, value: Any, *, at: datetime) -> Outcome:
    """The action returned: output, a decision, or the wish to wait. Raises Fail when the output cannot be kept."""
    if isinstance(value, Wait):
        return _waiting(claim, value, at)
    if isinstance(value, Spread):
        return _spreading(claim, value, at)
    if isinstance(value, Launch):
        return _launching(claim, value, at)
    if isinstance(value, Noted):
        return Outcome(claim, Status.COMPLETED, "completed", at, output=encode(value.output), notices=value.notices)
    if isinstance(value, Chosen):
        ruled_out = [target for target in value.targets if target not in value.next]
        metadata = {"case": value.case, "next": list(value.next), "ruledOut": ruled_out}
        return Outcome(claim, Status.COMPLETED, "completed", at, output=encode(value.output), metadata=metadata, chosen=value)
    return Outcome(claim, Status.COMPLETED, "completed", at, output=encode(value, claim.node))


def skipped(claim: Claim, reason: str, *, at: datetime) -> Outcome:
    """A condition ruled the step out."""
    return Outcome(claim, Status.STOPPED, "skipped", at, metadata={"skipped": True, "reason": reason})


def failed(claim: Claim, error: str, *, at: datetime, kind: str | None = None, after_seconds: float | None = None) -> Outcome:
    """The attempt failed. `kind=None` means for good; otherwise it is tried again while the step's retry policy allows."""
    error = clip(error)
    failures = claim.failures + 1
    policy = claim.node.retry
    if kind is None or failures >= retry.max_attempts(claim.node) or not retry.is_worth_retrying(policy, kind):
        return Outcome(claim, Status.FAILED, "failed", at, error=error, failed=1)
    seconds = retry.delay_seconds(policy, failures) if after_seconds is None else retry.within_bounds(after_seconds)
    again = at + timedelta(seconds=seconds)
    return Outcome(claim, Status.PENDING, "retried", at, error=error, failed=1, available_at=again, metadata={"retryAt": again.isoformat()})


def crashed(claim: Claim, reason: str, *, at: datetime) -> Outcome:
    """The worker died or fell silent under the step. A step that does so `max_attempts` times is at fault itself."""
    crashes = claim.crashes + 1
    if crashes >= retry.max_attempts(claim.node):
        error = f"{reason}; that happened {crashes} times, so the step is not tried again"
        return Outcome(claim, Status.FAILED, "crashed", at, error=error, crashed=1)
    resume, answer = _kept(claim.resume), _kept(claim.answer)
    return Outcome(claim, Status.PENDING, "crashed", at, error=reason, crashed=1, available_at=at, resume=resume, answer=answer)


def released(claim: Claim, *, at: datetime, reason: str = "", after_seconds: float = 0) -> Outcome:
    """The worker is leaving and hands the step back, died before the step began, or cannot run it; nobody is to blame."""
    again, resume, answer = at + timedelta(seconds=after_seconds), _kept(claim.resume), _kept(claim.answer)
    return Outcome(claim, Status.PENDING, "released", at, error=reason, available_at=again, resume=resume, answer=answer)


def unrecordable(outcome: Outcome, reason: str) -> Outcome:
    """What is recorded instead of a result that the database refuses: a failure for good, without its log lines."""
    error = clip(f"The result could not be recorded: {reason}")
    return Outcome(outcome.claim, Status.FAILED, "failed", outcome.at, error=error, failed=1, is_substitute=True)


def encode(value: Any, node: Node | None = None) -> str:
    """Output as JSON text that every database takes: no NUL, no lone surrogate. Raises Fail when it is not JSON or larger than
    MAX_OUTPUT_BYTES; a map may gather MAP_SHARE times as much."""
    most = settings.ENV.max_output_bytes * (MAP_SHARE if node and node.body else 1)
    try:
        if sizes.is_over(value, most):
            raise Fail(f"The step returned more than {most:,} bytes of output; at most so many are kept (MAX_OUTPUT_BYTES)")
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Fail(f"The step returned something that is not JSON: {error}") from error
    raw = text.encode("utf-8", "replace")
    if len(raw) > most:
        raise Fail(f"The step returned {len(raw):,} bytes of output; at most {most:,} are kept (MAX_OUTPUT_BYTES)")
    return _NUL.sub(r"\1\\ufffd", raw.decode())


def refuse_huge(value: Any) -> None:
    """What an action returned beside or instead of its output: before anybody copies it. Raises Fail."""
    most = settings.ENV.max_output_bytes * MAP_SHARE
    if is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, each.name) for each in fields(value)]
    try:
        if sizes.is_over(value, most):
            raise Fail(f"The step returned more than {most:,} bytes; at most {settings.ENV.max_output_bytes:,} are kept (MAX_OUTPUT_BYTES)")
    except sizes.TooDeep as error:
        raise Fail(f"The step returned something that is not JSON: {error}") from error


def clip(text: str, most: int = MAX_ERROR_CHARACTERS) -> str:
    """Text fit for a column: no NUL, not endless, no lone surrogates."""
    kept = text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return kept if len(text) <= most else f"{kept}… ({len(text):,} characters)"


def _waiting(claim: Claim, wait: Wait, at: datetime) -> Outcome:
    until = None if wait.seconds is None else at + timedelta(seconds=wait.seconds)
    metadata = {**wait.shown, "waitingFor": clip(str(wait.reason)), **({"expiresAt": until.isoformat()} if until and wait.answer else {})}
    return Outcome(
        claim, Status.WAITING_FOR_DEPENDENCY, "", at, available_at=until, metadata=metadata, resume=encode(wait.state),
        waits_for=wait.answer or None, listen=wait.listen,
    )  # fmt: skip


def _spreading(claim: Claim, spread: Spread, at: datetime) -> Outcome:
    state = encode({"count": len(spread.elements), "stop": int(spread.stop_on_failure)})
    metadata = {"waitingFor": f"its {len(spread.elements):,} elements"}
    return Outcome(
        claim, Status.WAITING_FOR_DEPENDENCY, "", at, available_at=_own_end(claim, at), metadata=metadata, resume=state,
        waits_for=Step.ELEMENTS, spread=spread,
    )  # fmt: skip


def _launching(claim: Claim, launch: Launch, at: datetime) -> Outcome:
    return Outcome(
        claim, Status.WAITING_FOR_DEPENDENCY, "", at, available_at=_own_end(claim, at), resume="{}", waits_for=Step.WORKFLOW, launch=launch
    )


def _own_end(claim: Claim, at: datetime) -> datetime | None:
    """A step that waits for others ends it when its own timeout says so; a default is for steps that run."""
    seconds = claim.node.timeout_seconds
    return None if seconds is None else at + timedelta(seconds=seconds)


def _kept(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
