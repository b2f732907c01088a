"""`branch`: the first case whose condition holds decides which of the next steps run (CONTRACT.md sections 3 and 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, model_validator

from workflows_app.actions.base import Action, Chosen, Config, Context, Fail, Json
from workflows_app.graph.conditions import holds


class Case(Config):
    """One way on. `condition` is JSONLogic; `else: true` stands for it in the last case; `next` names one step or several."""

    label: str = Field("", description="what pages and the output call this case")
    condition: Json = Field(None, description="JSONLogic over the names of the workflow; not templated")
    is_else: bool = Field(
        default=False, alias="else", description="`true` instead of a condition: when no other case holds; must be the last"
    )
    next: str | list[str] = Field(description="the step or steps to go on to; they must need this one")

    @model_validator(mode="before")
    @classmethod
    def _one_of_two(cls, data: Any) -> Any:
        if isinstance(data, dict) and ("condition" in data) == (data.get("else") is True):
            raise ValueError("a case has either a 'condition' or 'else: true'")
        return data

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.next,) if isinstance(self.next, str) else tuple(self.next)

    def name(self, number: int) -> str:
        """The label, or what the page shows without one: `else`, `case 2`."""
        return self.label or ("else" if self.is_else else f"case {number}")


class BranchConfig(Config):
    """The cases, tried in order."""

    cases: list[Case] = Field(min_length=1, description="the ways on; the first whose condition holds is taken")

    @model_validator(mode="after")
    def _else_is_last(self) -> BranchConfig:
        if any(case.is_else for case in self.cases[:-1]):
            raise ValueError("the 'else' case must be the only one and the last: no case after it could be taken")
        return self


class Branch(Action):
    """Its output is the decision, `{"case", "next"}`. No case that holds and no `else`: the step fails."""

    name = "branch"
    config = BranchConfig
    raw = frozenset({"cases"})
    is_instant = True

    def run(self, config: BranchConfig, context: Context) -> Chosen:
        for number, case in enumerate(config.cases, start=1):
            if case.is_else or holds(case.condition, context.names):
                return self._choose(config, case, case.name(number), context)
        raise Fail("No case holds and there is no 'else': add one, or correct the conditions")

    def _choose(self, config: BranchConfig, case: Case, label: str, context: Context) -> Chosen:
        context.log(f"Took '{label}', on to {', '.join(case.targets) or 'nothing'}")
        targets = tuple(dict.fromkeys(target for case in config.cases for target in case.targets))
        return Chosen(output={"case": label, "next": list(case.targets)}, case=label, next=case.targets, targets=targets)

    def conditions(self, config: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
        cases = config.get("cases")
        for number, case in enumerate(cases if isinstance(cases, list) else []):
            if isinstance(case, Mapping) and "condition" in case:
                yield f"cases[{number}].condition", case["condition"]
