"""`output`: what the workflow hands back: the value it is given, or the outputs of the steps it needs."""

from __future__ import annotations

import json

from pydantic import Field

from workflows_app.actions.base import Action, Config, Context, Json

SHOWN_CHARACTERS = 500


class OutputConfig(Config):
    """`value`: any JSON, templated. Without it the outputs of the direct needs, by step id."""

    value: Json = Field(None, description="the result; without it the outputs of the direct needs, by step id")


class Output(Action):
    """The end of a workflow or of one of its arms."""

    name = "output"
    config = OutputConfig
    is_instant = True
    reads_upstream = True

    def run(self, config: OutputConfig, context: Context) -> Json:
        if "value" in config.model_fields_set:
            context.log(f"Result: {_beginning(json.dumps(config.value, ensure_ascii=False))}")
            return config.value
        context.log(f"Collected the outputs of {', '.join(sorted(context.outputs)) or 'no step'}")
        return dict(context.outputs)


def _beginning(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
