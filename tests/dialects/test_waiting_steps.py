"""A default timeout is for steps that run, not for those that wait for a person, an event or other steps."""

from __future__ import annotations

from typing import Any

import pytest

from workflows_app import actions
from workflows_app.dialects import DIALECTS

WAITING: dict[str, dict[str, Any]] = {
    "approval": {"action": "approval", "with": {"message": "May we?"}},
    "wait_for_event": {"action": "wait_for_event"},
    "sub_workflow": {"action": "sub_workflow", "with": {"template": "test"}},
    "map": {"action": "map", "with": {"items": [1], "do": {"action": "delay", "with": {"seconds": 1}}}},
}


def compiled(step: dict[str, Any], **more: Any) -> Any:
    source = {"name": "x", "defaults": {"timeout": 15}, "steps": [{"id": "it", **step, **more}]}
    return DIALECTS["template"](source, actions=actions.shapes()).definition.nodes[0]


@pytest.mark.parametrize("kind", WAITING)
def test_it_takes_its_own_timeout_only(kind: str) -> None:
    assert compiled(WAITING[kind]).timeout_seconds is None
    assert compiled(WAITING[kind], timeout=60).timeout_seconds == 60


def test_a_step_that_runs_takes_the_default() -> None:
    assert compiled({"action": "delay", "with": {"seconds": 1}}).timeout_seconds == 15


def test_what_a_map_does_with_each_element_takes_the_default() -> None:
    assert compiled(WAITING["map"]).body.timeout_seconds == 15


def test_an_approval_for_each_element_takes_its_own() -> None:
    over = {"items": [1], "do": {"action": "approval", "with": {"message": "May we?"}}}
    assert compiled({"action": "map", "with": over}).body.timeout_seconds is None
