"""Notifications are stored with the result of the step that sends them, once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from tests.engine.stage import Stage, node, outcomes, step
from tests.factories import a_user
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Notification


def notify(**config: Any) -> Node:
    return node("tell", "send_notification", config={"message": "New hot lead", **config})


def test_a_notification_for_a_role_is_stored_with_where_it_came_from(stage: Stage) -> None:
    workflow = stage.run(notify(toRole="AE", title="Lead", level="success"))
    note = Notification.objects.get()
    assert (note.title, note.message, note.level, note.role, note.user) == ("Lead", "New hot lead", "success", "AE", None)
    assert (note.workflow, note.node_id) == (workflow, "tell")


def test_it_is_seen_by_those_it_is_for(stage: Stage) -> None:
    seller, other = a_user("seller"), a_user("other")
    seller.groups.add(Group.objects.create(name="AE"))
    stage.run(notify(role="AE"))
    stage.run(notify(user="other"))
    stage.run(notify(channel="sales"))
    stage.run(notify())
    assert Notification.objects.visible_to(seller).count() == 3
    assert Notification.objects.visible_to(other).count() == 3
    assert Notification.objects.visible_to(a_user(is_superuser=True)).count() == 4


def test_an_unknown_user_fails_the_step_and_stores_nothing(stage: Stage) -> None:
    workflow = stage.run(notify(user="nobody"))
    assert workflow.status == Status.FAILED and "There is no user 'nobody'" in step(workflow, "tell").error
    assert not Notification.objects.exists()


def test_a_step_that_failed_first_notifies_once(stage: Stage) -> None:
    retry = RetryPolicy(retries=2, initial_delay=1)
    workflow = stage.run(Node("tell", "send_notification", config={"message": "{{ params.who.name }}"}, retry=retry), params={"who": 1})
    assert workflow.status == Status.FAILED and not Notification.objects.exists()


def test_a_result_that_came_too_late_notifies_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows_app.engine import loop

    record, workflow = loop.record, stage.start(notify())

    def stopped_in_between(session: Any, **values: Any) -> Any:
        if values["outcomes"]:
            monkeypatch.setattr(loop, "record", record)
            stage.stop(workflow)
        return record(session, **values)

    monkeypatch.setattr(loop, "record", stopped_in_between)
    stage.drain()
    assert not Notification.objects.exists() and outcomes(workflow, "tell") == ["stopped"]


def test_a_long_text_is_cut(stage: Stage) -> None:
    stage.run(node("tell", "send_notification", config={"message": "x" * 15_000, "title": "t"}))
    assert len(Notification.objects.get().message) < 10_100
