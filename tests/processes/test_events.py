"""Events posted to the running product: by many at once, some of them twice, and across a kill."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest

from tests.processes.group import until
from tests.processes.test_up import Product, up

assert up  # the fixture
EVENTS, DIFFERENT, THREADS = 500, 400, 8
SOURCE = {
    "name": "Orders",
    "trigger": {"==": [{"var": "type"}, "order"]},
    "params": {"additionalProperties": True},
    "steps": [{"id": "show", "action": "output", "with": {"value": "{{ params.id }}"}}],
}
LISTENER = {
    "name": "Listener",
    "params": {"properties": {"id": {"type": "string"}}},
    "steps": [{"id": "wait", "action": "wait_for_event", "with": {"correlate": {"path": "id", "value": "{{ params.id }}"}}}],
}


def post_all(product: Product, keys: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Each key's answer, from THREADS connections that are kept."""
    queue, turn, answers, errors = iter(keys), threading.Lock(), list[tuple[str, dict[str, Any]]](), list[BaseException]()

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", int(product.port), timeout=60)
        try:
            while True:
                with turn:
                    key = next(queue, None)
                if key is None:
                    return
                answers.append((key, post(connection, {"type": "order", "id": key}, key)))
        except (OSError, HTTPException, AssertionError) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return answers


def post(connection: HTTPConnection, payload: Any, key: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    connection.request("POST", "/api/events", json.dumps(payload), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def keys_with_repeats() -> list[str]:
    different = [f"k{number}" for number in range(DIFFERENT)]
    keys = different + random.sample(different, EVENTS - DIFFERENT)
    random.shuffle(keys)
    return keys


@pytest.mark.parametrize("web_processes", ["1", "2"])
def test_events_of_which_a_fifth_repeat_a_key_start_exactly_one_workflow_per_key(up: Callable[..., Product], web_processes: str) -> None:
    product = up(WEB_PROCESSES=web_processes)
    product.ask("/api/templates", method="POST", body={"slug": "orders", "source": SOURCE})
    answers = post_all(product, keys_with_repeats())
    by_key: dict[str, set[str]] = {}
    for key, answer in answers:
        by_key.setdefault(key, set()).update(workflow["id"] for workflow in answer["workflows"])
    assert len(answers) == EVENTS and len(by_key) == DIFFERENT
    assert all(len(started) == 1 for started in by_key.values())
    assert len(set.union(*by_key.values())) == DIFFERENT

    def ended() -> bool:
        rows = product.rows("SELECT COUNT(*) FROM workflows_app_workflow WHERE status = 'COMPLETED' AND event_id IS NOT NULL")
        return bool(rows == [(DIFFERENT,)])

    until("every workflow has ended", ended, seconds=60)
    assert product.rows("SELECT COUNT(*), COUNT(DISTINCT idempotency_key) FROM workflows_app_event") == [(DIFFERENT, DIFFERENT)]
    assert product.rows("SELECT COUNT(DISTINCT event_id), COUNT(*) FROM workflows_app_workflow") == [(DIFFERENT, DIFFERENT)]


def test_an_event_wakes_the_step_that_waits_for_it_in_another_process(up: Callable[..., Product]) -> None:
    product = up()
    product.ask("/api/templates", method="POST", body={"slug": "listener", "source": LISTENER})
    uid = product.ask("/api/workflows/from-template?template_id=listener", method="POST", body={"id": "A-1"})["id"]
    until("the step waits", lambda: product.rows("SELECT 1 FROM workflows_app_step WHERE waits_for = 'event'"))
    assert product.ask("/api/events", method="POST", body={"id": "A-2"})["deliveries"] == []
    event = product.ask("/api/events", method="POST", body={"id": "A-1"})
    assert event["deliveries"] == [{"workflowId": uid, "stepId": "wait"}]
    assert product.finished(uid)["steps"][0]["outputs"]["payload"] == {"id": "A-1"}


def test_an_event_that_was_sent_while_everything_was_killed_is_kept_once_and_reaches_its_step(up: Callable[..., Product]) -> None:
    """The sender sends until it is answered; the group is killed in between."""
    product = up()
    product.ask("/api/templates", method="POST", body={"slug": "orders", "source": SOURCE})
    product.ask("/api/templates", method="POST", body={"slug": "listener", "source": LISTENER})
    ids = [product.ask("/api/workflows/from-template?template_id=listener", method="POST", body={"id": f"k{n}"})["id"] for n in range(40)]
    killer = threading.Timer(0.3, lambda: [os.kill(pid, signal.SIGKILL) for pid in reversed(product.pids())])
    killer.start()
    unanswered = [f"k{number}" for number in range(40)] * 5
    connection = HTTPConnection("127.0.0.1", int(product.port), timeout=10)
    try:
        while unanswered:
            post(connection, {"type": "order", "id": unanswered[0]}, unanswered[0])
            unanswered.pop(0)
            if killer.finished.is_set():
                break
    except (OSError, HTTPException):
        pass
    killer.join()
    product.destroy()
    again = up("one", PORT=product.port)
    connection = HTTPConnection("127.0.0.1", int(again.port), timeout=10)
    for number in range(40):
        post(connection, {"type": "order", "id": f"k{number}"}, f"k{number}")
    for uid in ids:
        assert again.finished(uid)["status"] == "COMPLETED"
    assert again.rows("SELECT COUNT(*) FROM workflows_app_event") == [(40,)]
    started = "SELECT COUNT(*), COUNT(DISTINCT event_id) FROM workflows_app_workflow WHERE event_id IS NOT NULL"
    assert again.rows(started) == [(40, 40)]


def test_a_workflow_that_sends_the_event_that_starts_it_ends_after_ten(up: Callable[..., Product]) -> None:
    """Each call of a workflow says how many events led to it, so a loop is cut."""
    product = up()
    call = {"url": "{{ engine.url }}/api/events", "method": "POST", "json": {"type": "again"}}
    source = {"name": "Loop", "trigger": {"==": [{"var": "type"}, "again"]}, "params": {"additionalProperties": True}}
    steps = [{"id": "send", "action": "http_call", "with": call}]
    product.ask("/api/templates", method="POST", body={"slug": "loop", "source": {**source, "steps": steps}})
    product.ask("/api/events", method="POST", body={"type": "again"})
    depths = "SELECT chain_depth FROM workflows_app_event ORDER BY id"
    until("the last event of the chain is kept", lambda: product.rows(depths)[-1:] == [(11,)])
    assert product.rows(depths) == [(depth,) for depth in range(12)]
    last = product.ask("/api/events?limit=1")[0]
    (loop,) = (match for match in last["templates"] if match["template"] == "loop")
    assert last["workflows"] == [] and loop["matched"] and loop["reason"] == "chain depth 11 is above 10"

    def ended() -> bool:
        return bool(product.rows("SELECT COUNT(*) FROM workflows_app_workflow WHERE status = 'COMPLETED'") == [(11,)])

    until("the eleven workflows have ended", ended)
