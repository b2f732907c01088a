"""Tests of `wait_for_event` as an action: what it listens for, and what it makes of an event or of none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from workflows_app import actions
from workflows_app.actions.base import Fail, Listen, Wait
from workflows_app.actions.wait_for_event import WaitForEvent, WaitForEventConfig

PAID = {"==": [{"var": "state"}, "paid"]}
EVENT = {"id": "e1", "source": "shop", "receivedAt": "2026-01-01T00:00:00+00:00", "payload": {"state": "paid"}}


def listen(own_timeout_seconds: float | None = None, **config: Any) -> Wait:
    found = WaitForEvent().run(WaitForEventConfig.model_validate(config), a_context(own_timeout_seconds=own_timeout_seconds))
    assert isinstance(found, Wait)
    return found


def resume(answer: Any, log: Log | None = None, **config: Any) -> Any:
    context = a_context(resume={"seconds": 7200}, answer=answer, sink=Log() if log is None else log)
    return WaitForEvent().run(WaitForEventConfig.model_validate(config), context)


def test_it_listens_for_what_its_author_describes():
    wait = listen(match=PAID, source="shop", correlate={"path": "order.id", "value": 7}, since="workflow", timeout=5)
    assert (wait.answer, wait.seconds, wait.reason) == ("event", 5, f"an event from shop with order.id = 7 that fulfils {json.dumps(PAID)}")
    assert wait.listen == Listen(source="shop", condition=PAID, path="order.id", value=7, since="workflow")


def test_a_long_condition_is_only_named():
    assert listen(match={"in": [{"var": "state"}, ["paid"] * 50]}).reason == "an event that fulfils its `match`"


def test_without_a_description_any_event_will_do_and_it_waits_for_ever():
    wait = listen()
    assert (wait.listen, wait.seconds, wait.reason) == (Listen(), None, "an event")


def test_the_steps_own_timeout_holds_where_there_is_no_other():
    assert listen(own_timeout_seconds=9).seconds == 9
    assert listen(own_timeout_seconds=9, timeout=5).seconds == 5


def test_the_event_is_the_output():
    log = Log()
    assert resume(EVENT, log) == EVENT
    assert log.text == "Event e1 came from shop"


def test_an_expiry_fails_unless_it_may_go_on():
    with pytest.raises(Fail, match=r"^No such event came within 2 hr 0 min$"):
        resume(None)
    assert resume(None, on_expiry="continue") == {"expired": True}


def test_the_condition_reads_the_payload_and_not_the_workflow():
    action = actions.find("wait_for_event")
    assert action.raw == {"match"} and list(action.conditions({"match": PAID})) == []


@pytest.mark.parametrize(
    ("config", "path"),
    [({"correlate": {"path": "a b", "value": 1}}, "correlate.path"),
     ({"match": {"=": [1, 2]}}, "match"), ({"correlate": {"path": "a"}}, "correlate.value"),
     ({"correlate": {"path": "", "value": 1}}, "correlate.path"), ({"since": "ever"}, "since"), ({"timeout": -1}, "timeout"),
     ({"on_expiry": "reject"}, "on_expiry"), ({"mach": PAID}, "mach")],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_beforehand(config, path):
    assert [found for found, _ in actions.find("wait_for_event").check(config)] == [path]


def test_templated_values_are_taken_on_trust():
    config = {"correlate": {"path": "order.id", "value": "{{ params.order }}"}, "source": "{{ params.s }}", "timeout": "{{ params.t }}"}
    assert actions.find("wait_for_event").check(config) == []
