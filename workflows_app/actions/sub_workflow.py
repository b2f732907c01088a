"""`sub_workflow`: start another template and wait for how it ends (CONTRACT.md section 7)."""

from __future__ import annotations

import re

from pydantic import Field

from workflows_app.actions.base import Action, Config, Context, Fail, Json, Launch
from workflows_app.actions.wording import span

BELOW = ", as one further below did"
PASSED_ON = re.compile(rf" ended as [A-Z]+(?:{BELOW})?: ")


class SubWorkflowConfig(Config):
    """Which template to run, and with what."""

    template: str = Field(min_length=1, description="the slug of the template")
    params: dict[str, Json] = Field({}, description="its parameters")
    version: int | None = Field(None, ge=1, description="one of its versions; else the current one")


class SubWorkflow(Action):
    """Output: `{"workflowId", "status", "output"}` of the workflow it started. When that fails or is stopped, so does the step."""

    name = "sub_workflow"
    config = SubWorkflowConfig
    is_instant = True
    waits = True

    def run(self, config: SubWorkflowConfig, context: Context) -> Json | Launch:
        if context.resume is None:
            context.log(f"Starting the template '{config.template}'{f', version {config.version}' if config.version else ''}")
            return Launch(template=config.template, params=config.params, version=config.version)
        if context.answer is None:
            raise Fail(f"The template '{config.template}' did not end within {span(context.own_timeout_seconds or 0)}; it is stopped")
        child, status = context.answer["workflowId"], context.answer["status"]
        if status != "COMPLETED":
            raise Fail(f"Workflow {child} of template '{config.template}' ended as {status}{_why(context.answer.get('error'))}")
        if too_large := context.answer.get("tooLarge"):
            raise Fail(f"Workflow {child} of template '{config.template}' has completed with {too_large}")
        context.log(f"Workflow {child} of template '{config.template}' has completed")
        return {"workflowId": child, "status": status, "output": context.answer.get("output")}


def _why(error: str | None) -> str:
    """The child's error; of one that came up from further below only what began it, as each level has a page that tells its own."""
    *above, cause = PASSED_ON.split(error or "")
    return f"{BELOW if above else ''}: {cause}" if cause else ""
