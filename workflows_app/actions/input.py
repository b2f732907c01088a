"""`input` (alias `start`): the workflow's parameters, as the output of a first step."""

from __future__ import annotations

from workflows_app.actions.base import Action, Config, Context, Json


class InputConfig(Config):
    """Nothing to configure."""


class Input(Action):
    """Passes the parameters on, so that what follows can be drawn and read as fed by them."""

    name = "input"
    config = InputConfig
    is_instant = True

    def run(self, config: InputConfig, context: Context) -> Json:
        names = ", ".join(sorted(context.params)) or "none"
        context.log(f"Parameters: {names}")
        return dict(context.params)
