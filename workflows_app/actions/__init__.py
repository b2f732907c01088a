"""The actions: what a step can do. One file each, one line each in the registry."""

from __future__ import annotations

from collections.abc import Mapping

from workflows_app.actions import tasks
from workflows_app.actions.approval import Approval
from workflows_app.actions.base import Action
from workflows_app.actions.branch import Branch
from workflows_app.actions.delay import Delay
from workflows_app.actions.http_call import CallExternalService, HttpCall
from workflows_app.actions.input import Input
from workflows_app.actions.llm_service import LlmService
from workflows_app.actions.map import Map
from workflows_app.actions.output import Output
from workflows_app.actions.send_notification import SendNotification
from workflows_app.actions.sub_workflow import SubWorkflow
from workflows_app.actions.transform import Transform
from workflows_app.actions.wait_for_event import WaitForEvent
from workflows_app.graph.names import did_you_mean

_INPUT = Input()

ACTIONS: dict[str, Action] = {
    "approval": Approval(),
    "branch": Branch(),
    "call_external_service": CallExternalService(),
    "delay": Delay(),
    "http_call": HttpCall(),
    "input": _INPUT,
    "llm_service": LlmService(),
    "map": Map(),
    "output": Output(),
    "send_notification": SendNotification(),
    "start": _INPUT,
    "sub_workflow": SubWorkflow(),
    "transform": Transform(),
    "wait_for_event": WaitForEvent(),
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
