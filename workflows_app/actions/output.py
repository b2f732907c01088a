"""`output`: what the workflow hands back: the value it is given, or the outputs of the steps it needs."""

from __future__ import annotations

from workflows_app.actions.base import Action, Config, Context, Json


class OutputConfig(Config):
    """`value`: any JSON, templated. Without it the outputs of the direct needs, by step id."""

    value: Json = None


class Output(Action):
    """The end of a workflow or of one of its arms."""

    name = "output"
    config = OutputConfig
    is_instant = True
    reads_upstream = True

    def run(self, config: OutputConfig, context: Context) -> Json:
        if "value" in config.model_fields_set:
            return config.value
        context.log(f"Collected the outputs of {', '.join(sorted(context.outputs)) or 'no step'}")
        return dict(context.outputs)
