"""`delay`: let time pass. The wait is a time in the step's row: it holds no worker and survives a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, Field, model_validator

from workflows_app.actions.base import Action, Config, Context, Fail, Json, Wait

YEAR_SECONDS = 366 * 24 * 3600


class DelayConfig(Config):
    """Exactly one of `seconds`, `ms` and `until` (ISO 8601 with an offset); from nothing up to a year."""

    seconds: float | None = Field(None, ge=0, le=YEAR_SECONDS, allow_inf_nan=False, description="how long, in seconds")
    ms: float | None = Field(None, ge=0, le=YEAR_SECONDS * 1000, allow_inf_nan=False, description="how long, in milliseconds")
    until: AwareDatetime | None = Field(None, description="ISO 8601 with an offset; a time that has passed is no wait")

    @model_validator(mode="before")
    @classmethod
    def _exactly_one(cls, data: Any) -> Any:
        if isinstance(data, dict) and len({"seconds", "ms", "until"} & set(data)) != 1:
            raise ValueError("give exactly one of 'seconds', 'ms' and 'until'")
        return data


class Delay(Action):
    """First run: asks to be woken. When woken: says how long it waited."""

    name = "delay"
    config = DelayConfig
    is_instant = True

    def run(self, config: DelayConfig, context: Context) -> Json | Wait:
        if context.resume is not None:
            context.log(f"Waited {context.resume['seconds']:g} s")
            return {"waited_seconds": context.resume["seconds"]}
        seconds = _seconds(config)
        if seconds == 0:
            return {"waited_seconds": 0}
        context.log(f"Waiting {seconds:g} s")
        return Wait(seconds=seconds, state={"seconds": seconds}, reason=f"a delay of {seconds:g} s")


def _seconds(config: DelayConfig) -> float:
    if config.seconds is not None:
        return config.seconds
    if config.ms is not None:
        return config.ms / 1000
    if config.until is None:
        raise Fail("'seconds', 'ms' or 'until' is null: a delay needs a number or a time")
    # The engine adds this to the database's clock; two clocks that differ shift the end by that difference.
    seconds = round((config.until - datetime.now(UTC)).total_seconds(), 3)
    if seconds > YEAR_SECONDS:
        raise Fail(f"'until' is {config.until.isoformat()}, more than a year away; a delay lasts a year at most")
    return max(0.0, seconds)
