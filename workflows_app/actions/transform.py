"""`transform`: new data from old, by a templated value or by JSONLogic."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from workflows_app.actions.base import Action, Config, Context, Json
from workflows_app.graph.conditions import evaluate


class TransformConfig(Config):
    """Exactly one of `value` (any JSON, templated) and `logic` (JSONLogic over the names of the workflow)."""

    value: Json = Field(None, description="any JSON; every text in it is templated")
    logic: Json = Field(None, description="JSONLogic over the names of the workflow; not templated")

    @model_validator(mode="before")
    @classmethod
    def _one_of_two(cls, data: Any) -> Any:
        if isinstance(data, dict) and ("value" in data) == ("logic" in data):
            raise ValueError("give either 'value' or 'logic'" + (", not both" if "value" in data else ""))
        return data


class Transform(Action):
    """Only computes; its output is the new data."""

    name = "transform"
    config = TransformConfig
    raw = frozenset({"logic"})
    is_instant = True

    def run(self, config: TransformConfig, context: Context) -> Json:
        result = config.value if "value" in config.model_fields_set else evaluate(config.logic, context.names)
        context.log(f"Made {_summary(result)}")
        return result


def _summary(value: Json) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(str, list(value)[:8])) or 'no keys'}{', ...' if len(value) > 8 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a text" if isinstance(value, str) else f"the value {value!r}"
