"""R8: graphs as large as they may be are checked, started, run, shown, stopped and retried in bounded time; a step costs what it costs."""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client

from tests.chaos.big_graphs import MOST, Steps, chain, fan, layers, template
from tests.chaos.ledger import Entry, note
from tests.chaos.stopwatch import Bounds, worked, worked_by
from tests.dashboard.conftest import HX
from tests.engine import oracle
from tests.processes.conftest import finished
from tests.processes.group import Group
from workflows_app.catalog.validate import validate
from workflows_app.engine import definitions, start
from workflows_app.engine.clock import database_now
from workflows_app.graph.statuses import Status
from workflows_app.models import Attempt, Step, Workflow

SMALL, TOLERANCE, TRIES = 100, 1.2, 3
VALIDATE, CREATE, FIRST_BYTE, NOT_MODIFIED, CHANGE = 1.0, 5.0, 0.5, 0.1, 5.0
KINDS: Mapping[str, Callable[[int], Steps]] = {"chain": chain, "fan": fan, "layers": lambda count: layers(count, random.Random(8))}
SIZES = {"chain": 1_000, "fan": MOST, "layers": MOST}
SHORT_RUN = {"chain": 300, "fan": 2_000, "layers": 2_000}


def test_the_largest_graphs_are_validated_within_a_second() -> None:
    """Of the processor's time: nothing is waited for. What earlier tests left is out of the way of the collector, as in a server."""
    gc.freeze()
    bounds = Bounds()
    for kind, size in SIZES.items():
        source = json.dumps(template(kind, KINDS[kind](size)))
        bounds.take(kind, lambda source=source: validate(source, "template"), below=VALIDATE, clock=time.process_time)  # type: ignore[misc]
    gc.unfreeze()
    note(Entry("R8", "validation", steps=sum(SIZES.values()), figures=bounds.figures))
    bounds.judge()


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_workflow_is_created_shown_and_stopped_in_bounded_time(transactional_db: None, kind: str) -> None:
    client, bounds, steps = Client(headers={"host": "localhost"}), Bounds(), KINDS[kind](SIZES[kind])
    workflow = created(client, bounds, kind, steps)
    stopped(client, bounds, kind, steps)
    look(client, bounds, workflow, steps[-1]["id"])
    note(Entry("R8", f"{kind} of {len(steps):,}: created, shown, stopped", steps=2 * len(steps), figures=bounds.figures))
    bounds.judge()


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_workflow_is_run_shown_and_retried_in_bounded_time(workers: Callable[..., Group], kind: str, scale: float) -> None:
    client, bounds, steps = Client(headers={"host": "localhost"}), Bounds(), KINDS[kind](sizes(scale)[kind])
    workflow = created(client, bounds, kind, steps)
    workers()
    finished(workflow, seconds=60)
    oracle.judge(workflow)
    look(client, bounds, workflow, steps[-1]["id"])
    bounds.take(
        "retry",
        lambda: asked(client, f"/api/workflows/{workflow.uid}/retry", {"fromStep": steps[0]["id"]}),
        below=CHANGE,
        tries=1,
        clock=worked,
    )
    assert finished(workflow, seconds=60).status == Status.COMPLETED
    twice = Attempt.objects.filter(step__workflow=workflow, number__gt=2).count()
    again = Step.objects.filter(workflow=workflow, attempt=2).count()
    note(Entry("R8", f"{kind} of {len(steps):,}: run and retried", steps=2 * len(steps), twice=twice, figures=bounds.figures))
    assert Attempt.objects.filter(step__workflow=workflow, outcome="completed").count() == len(steps) + again and again and not twice
    bounds.judge()


@pytest.mark.parametrize("kind", ["chain", "layers"])
def test_a_step_of_a_large_workflow_costs_what_a_step_of_a_small_one_costs(workers: Callable[..., Group], kind: str, scale: float) -> None:
    """By the processors' time, of as many steps in small workflows of the same shape, of a chain at least of some."""
    group = workers()
    size = sizes(scale)[kind]
    few = 1 if kind == "chain" else size // SMALL
    small = large = float("inf")
    for _ in range(TRIES):
        small, large = min(small, cost_of_step(group, kind, SMALL, few)), min(large, cost_of_step(group, kind, size, 1))
        if large <= small * TOLERANCE:
            break
    said = f"{small * 1000:.2f} ms a step at {SMALL} steps, {large * 1000:.2f} ms at {size:,}"
    note(Entry("R8", f"{kind}: cost of a step", steps=size + SMALL * few, figures=said))
    assert large <= small * TOLERANCE, said


def sizes(scale: float) -> Mapping[str, int]:
    """Of the workflows that run: in the short form smaller ones."""
    return SIZES if scale > 1 else SHORT_RUN


def created(client: Client, bounds: Bounds, kind: str, steps: Steps) -> Workflow:
    body, answers = {"definition": template(kind, steps)}, list[Any]()
    bounds.take("create inline", lambda: answers.append(asked(client, "/api/workflows", body)), below=CREATE, tries=1, clock=worked)
    return Workflow.objects.get(uid=answers[0]["id"])


def stopped(client: Client, bounds: Bounds, kind: str, steps: Steps) -> None:
    """One of a published template, before there is a worker."""
    asked(client, "/api/templates", {"slug": kind, "source": template(kind, steps)}, status=201)
    answers = list[Any]()
    url = f"/api/workflows/from-template?template_id={kind}"
    bounds.take("create from template", lambda: answers.append(asked(client, url, {})), below=CREATE, tries=1, clock=worked)
    url = f"/api/workflows/{answers[0]['id']}/stop"
    bounds.take("stop", lambda: answers.append(asked(client, url, {})), below=CHANGE, tries=1, clock=worked)
    assert answers[-1]["status"] == Status.STOPPED and {step["status"] for step in answers[-1]["steps"]} == {Status.STOPPED}


def look(client: Client, bounds: Bounds, workflow: Workflow, last: str) -> None:
    page, api = f"/workflows/{workflow.uid}", f"/api/workflows/{workflow.uid}"
    for what, url in {"page": page, "step page": f"{page}?step={last}", "list page": "/workflows", "step": f"{api}/steps/{last}"}.items():
        bounds.take(what, lambda url=url: got(client, url), below=FIRST_BYTE, clock=worked)  # type: ignore[misc]
    bounds.take("workflow as JSON", lambda: got(client, api), below=4 * FIRST_BYTE, clock=worked)
    poll = {**HX, "HX-PTag": client.get(page).headers["HX-PTag"]}
    bounds.take("poll", lambda: got(client, page, status=304, **poll), below=NOT_MODIFIED, clock=worked)


def cost_of_step(group: Group, kind: str, size: int, count: int) -> float:
    """In seconds; of so many workflows, one after the other."""
    graph = validate(json.dumps(template(kind, KINDS[kind](size))), "template").definition
    row = definitions.store(definition=graph, now=database_now())
    before = worked_by(group)
    for number in range(count):
        workflow = start.start(order=start.Order(definition=row, name=f"{number} of {count}"), now=database_now())
        assert finished(workflow, seconds=60).status == Status.COMPLETED
    return (worked_by(group) - before) / (size * count)


def asked(client: Client, url: str, body: Any, *, status: int = 200) -> Any:
    answer = client.post(url, json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def got(client: Client, url: str, *, status: int = 200, **headers: str) -> bytes:
    answer = client.get(url, headers=headers)
    assert answer.status_code == status, answer.content[:500]
    return bytes(answer.content)
