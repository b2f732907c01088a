"""`wait_for_event`: go on when an event comes that fits. Nothing is held while it waits (CONTRACT.md section 7)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, field_validator

from workflows_app.actions.base import Action, Config, Context, Fail, Json, Listen, Wait
from workflows_app.actions.delay import YEAR_SECONDS
from workflows_app.actions.wording import span
from workflows_app.graph import conditions
from workflows_app.graph.syntax import parse

MAX_MATCH_SHOWN = 120


class Correlation(Config):
    """One value of the payload that must be this one."""

    path: str = Field(min_length=1, max_length=200, description="where in the payload, such as `order.id`")
    value: Json = Field(description="what must stand there")

    @field_validator("path")
    @classmethod
    def _a_path(cls, path: str) -> str:
        if not parse(f"payload.{path}").is_path:
            raise ValueError(f"{path!r} is no path: write it as `order.id`")
        return path


class WaitForEventConfig(Config):
    """Which event to wait for, and how long. Without `match`, `source` and `correlate` any event will do."""

    match: Json = Field(
        None, description="JSONLogic over the payload of the event. Not templated: use `correlate` for values of this workflow"
    )
    source: str = Field("", max_length=100, description="only events of this source")
    correlate: Correlation | None = Field(None, description="`{path, value}`: the payload must hold this value there")
    since: Literal["step", "workflow"] = Field(
        "step", description="events count that came in since this step began, or since the workflow did"
    )
    timeout: float | None = Field(None, gt=0, le=YEAR_SECONDS, description="seconds to wait; else the step's own timeout, else for ever")
    on_expiry: Literal["fail", "continue"] = Field("fail", description='`continue`: the output is `{"expired": true}`')


class WaitForEvent(Action):
    """Output: the event, `{"id", "source", "receivedAt", "payload"}`."""

    name = "wait_for_event"
    config = WaitForEventConfig
    raw = frozenset({"match"})
    is_instant = True
    waits = True

    def run(self, config: WaitForEventConfig, context: Context) -> Json | Wait:
        if context.resume is None:
            return _listening(config, context)
        if context.answer is not None:
            context.log(f"Event {context.answer['id']} came{_from(context.answer['source'])}")
            return context.answer
        said = f"No such event came within {span(context.resume['seconds'] or 0)}"
        if config.on_expiry == "fail":
            raise Fail(said)
        context.log(said)
        return {"expired": True}

    def check(self, config: Mapping[str, Json]) -> list[tuple[str, str]]:
        problems = super().check(config)
        try:
            conditions.check(config.get("match"))
        except conditions.ConditionError as error:
            problems.append(("match", str(error)))
        return problems

    def conditions(self, config: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
        """None: `match` reads the payload of an event, not the names of the workflow."""
        return ()


def _listening(config: WaitForEventConfig, context: Context) -> Wait:
    seconds = config.timeout or context.own_timeout_seconds
    path, value = (config.correlate.path, config.correlate.value) if config.correlate else ("", None)
    reason = f"an event{_from(config.source)}{f' with {path} = {value!r}' if path else ''}{_that_fulfils(config.match)}"
    context.log(f"Waiting for {reason}{f', for {span(seconds)} at most' if seconds else ''}")
    listen = Listen(source=config.source, condition=config.match, path=path, value=value, since=config.since)
    return Wait(seconds=seconds, state={"seconds": seconds}, reason=reason, answer="event", listen=listen)


def _from(source: str) -> str:
    return f" from {source}" if source else ""


def _that_fulfils(match: Json) -> str:
    """What the payload must fulfil, so that who reads it can send such an event."""
    written = json.dumps(match, ensure_ascii=False)
    if match is None:
        return ""
    return f" that fulfils {written if len(written) <= MAX_MATCH_SHOWN else 'its `match`'}"
