"""`approval`: a person decides, with a form if the author wants one. Nothing is held while it waits (CONTRACT.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from workflows_app.actions.base import Action, Config, Context, Fail, Json, Wait
from workflows_app.actions.delay import YEAR_SECONDS
from workflows_app.actions.wording import Text, span
from workflows_app.dialects import params_schema


class ApprovalConfig(Config):
    """What is asked, of whom, and what happens when nobody answers."""

    message: Text = Field(min_length=1, max_length=20_000, description="what the person decides about")
    title: Text = Field("", max_length=200, description="a heading; else the name of the step")
    form: dict[str, Json] = Field({}, description="JSON Schema of an object: what the person fills in. Not templated")
    approvers: list[str] = Field([], description="names of users and groups who may decide; none: everybody who may operate workflows")
    timeout: float | None = Field(
        None, gt=0, le=YEAR_SECONDS, description="seconds until it expires; else the step's own timeout, else never"
    )
    on_expiry: Literal["fail", "approve", "reject"] = Field("fail", description="what an expiry counts as")
    on_reject: Literal["fail", "continue"] = Field("fail", description="`continue`: a rejection is an output, not a failure")


class Approval(Action):
    """Output: `{"approved", "by", "at", "data", "reason"}`; after an expiry that counts as a decision also `"expired": true`."""

    name = "approval"
    config = ApprovalConfig
    raw = frozenset({"form"})
    is_instant = True
    waits = True

    def run(self, config: ApprovalConfig, context: Context) -> Json | Wait:
        if context.resume is None:
            return _question(config, context)
        decision = context.answer
        if decision is None:
            decision = _expired(config, context.resume["seconds"])
        return _decided(config, decision, context)

    def check(self, config: Mapping[str, Json]) -> list[tuple[str, str]]:
        problems, form = super().check(config), config.get("form", {})
        if isinstance(form, Mapping):
            problems += [(f"form.{path}".rstrip("."), message) for path, message in params_schema.check(params_schema.normalise(form))]
        return problems

    def prepared(self, config: dict[str, Json]) -> dict[str, Json]:
        """With the form's fields in their order."""
        form = config.get("form")
        return {**config, "form": params_schema.normalise(form)} if isinstance(form, Mapping) else config

    def conditions(self, config: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
        """None: a form is a schema."""
        return ()


def _question(config: ApprovalConfig, context: Context) -> Wait:
    seconds = config.timeout or context.own_timeout_seconds
    approvers = " or ".join(config.approvers) or "anybody"
    context.log(f"Waiting for an approval by {approvers}{f', for {span(seconds)} at most' if seconds else ''}")
    asked: dict[str, Json] = {
        "title": config.title, "message": config.message, "form": params_schema.normalise(config.form), "approvers": config.approvers,
        "seconds": seconds,
    }  # fmt: skip
    return Wait(
        seconds=seconds, state={"seconds": seconds}, reason=f"approval by {approvers}", answer="approval", shown={"approval": asked}
    )


def _expired(config: ApprovalConfig, seconds: float | None) -> dict[str, Json]:
    """What the passing of time decides."""
    said = f"Nobody decided within {span(seconds or 0)}"
    if config.on_expiry == "fail":
        raise Fail(said)
    return {"approved": config.on_expiry == "approve", "by": None, "at": None, "data": {}, "reason": said, "expired": True}


def _decided(config: ApprovalConfig, decision: dict[str, Json], context: Context) -> Json:
    who, why = decision.get("by"), decision.get("reason")
    said = f"{'Approved' if decision['approved'] else 'Rejected'}{f' by {who}' if who else ''}{f': {why}' if why else ''}"
    if not decision["approved"] and config.on_reject == "fail":
        raise Fail(said)
    context.log(said)
    return decision
