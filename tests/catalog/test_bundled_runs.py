"""Tests of the bundled templates through the real engine: each ends, and those that wait for somebody take an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalog.test_bundled import SLUGS
from tests.engine.oracle import judge
from tests.engine.stage import Stage, statuses, step
from tests.factories import a_user
from workflows_app.catalog import bundled
from workflows_app.catalog.approvals import decide
from workflows_app.catalog.events import receive
from workflows_app.catalog.start import start_template
from workflows_app.models import Notification, Workflow


@pytest.fixture
def stage(live_server: Any, transactional_db: None, settings: Any) -> Stage:
    settings.ENV = settings.ENV.model_copy(update={"host": live_server.thread.host, "port": live_server.thread.port})
    stage = Stage()
    bundled.load(now=stage.now)
    return stage


def begin(stage: Stage, slug: str, **params: Any) -> Workflow:
    workflow = start_template(slug=slug, params=params, now=stage.now)
    stage.drain()
    return workflow


@pytest.mark.parametrize("slug", SLUGS)
def test_each_ends_by_itself(stage, slug):
    workflow = stage.play(begin(stage, slug))
    failed = {id for id, status in statuses(workflow).items() if status == "FAILED"}
    assert (workflow.status, failed) == ("COMPLETED", {"missing"} if slug == "every_action" else set())
    judge(workflow)


def test_every_action_spreads_starts_another_and_notifies_once(stage):
    workflow = stage.play(begin(stage, "every_action"))
    assert [step(workflow, f"each[{number}]").status for number in range(4)] == ["COMPLETED", "STOPPED", "COMPLETED", "STOPPED"]
    assert Workflow.objects.get(parent=workflow).template_version.template.slug == "test"
    assert Notification.objects.get().title == "Thanks for Aster Books"
    assert step(workflow, "done").output["greeting"] == "Hello, Aster Books!"


def test_a_decision_and_an_event_end_the_waits(stage):
    workflow = begin(stage, "ask_and_wait")
    decide(uid=workflow.uid, step_id="approve", approved=True, data={"percent": 10}, by=a_user("ann"), now=stage.now)
    stage.drain()
    receive(payload={"state": "paid", "order": {"customer": "Aster Books"}}, now=stage.now)
    stage.drain()
    assert step(workflow, "done").output == {"discount": 10, "decided_by": "ann", "paid": True}


def test_an_event_that_came_before_the_decision_counts(stage):
    workflow = begin(stage, "ask_and_wait")
    receive(payload={"state": "paid", "order": {"customer": "Aster Books"}}, now=stage.now)
    decide(uid=workflow.uid, step_id="approve", approved=False, data={}, reason="no", by=a_user("ann"), now=stage.now)
    stage.play(workflow)
    assert step(workflow, "done").output == {"discount": 0, "decided_by": "ann", "paid": True}
