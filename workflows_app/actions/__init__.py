"""The actions: what a step can do. One file each, one line each in the registry."""

from __future__ import annotations

from collections.abc import Mapping

from workflows_app.actions import tasks
from workflows_app.actions.base import Action
from workflows_app.actions.branch import Branch
from workflows_app.actions.delay import Delay
from workflows_app.actions.http_call import HttpCall
from workflows_app.actions.input import Input
from workflows_app.actions.output import Output
from workflows_app.actions.transform import Transform
from workflows_app.graph.names import did_you_mean

_HTTP_CALL, _INPUT = HttpCall(), Input()

ACTIONS: dict[str, Action] = {
    "branch": Branch(),
    "call_external_service": _HTTP_CALL,
    "delay": Delay(),
    "http_call": _HTTP_CALL,
    "input": _INPUT,
    "output": Output(),
    "start": _INPUT,
    "transform": Transform(),
}


class UnknownAction(LookupError):
    """A step names an action that does not exist."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no action '{name}'{did_you_mean(name, known())}; there are: {', '.join(known())}")


def find(name: str) -> Action:
    """The action or custom task of that name or alias. Raises UnknownAction."""
    action = ACTIONS.get(name) or tasks.registered().get(name)
    if action is None:
        raise UnknownAction(name)
    return action


def shapes() -> Mapping[str, Action]:
    """All that a step may name: what a dialect checks steps against."""
    return {**tasks.registered(), **ACTIONS}


def known() -> list[str]:
    """The names of all actions, aliases and custom tasks, sorted."""
    return sorted(shapes())
