"""The workloads: no-op steps that return a small dict, and calls to loopback, submitted from a process of their own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from benchmarks.loopback import serving
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.engine.start import Order, start, start_many
from workflows_app.graph.definition import Definition, Node
from workflows_app.models import Definition as StoredDefinition
from workflows_app.models import Step, Workflow

CHAIN, FAN, WORKFLOWS, SHORT, SUBMISSIONS, PAUSE_SECONDS = 100, 200, 200, 5, 50, 0.3
ELEMENTS, LIMIT, ANSWER_SECONDS = 1_000, 50, 0.02
LOOK_SECONDS, PATIENCE_SECONDS = 0.01, 120


def chain(length: int) -> Definition:
    return Definition(tuple(Node(id=f"s{i}", action="noop", needs=(f"s{i - 1}",) if i else ()) for i in range(length)))


def fan(width: int) -> Definition:
    middle = tuple(Node(id=f"m{i}", action="noop", needs=("first",)) for i in range(width))
    last = Node(id="last", action="noop", needs=tuple(node.id for node in middle))
    return Definition((Node(id="first", action="noop"), *middle, last))


def one_chain() -> dict[str, float]:
    """W1: milliseconds from the first step's body to the last one's, per hop."""
    workflow = run(_stored(chain(CHAIN)), 1)[0]
    began = _began(workflow)
    return {"ms_per_hop": (began[-1] - began[0]) * 1000 / (CHAIN - 1)}


def one_fan() -> dict[str, float]:
    """W2: steps a second, from the submission to the end of the last step."""
    definition = _stored(fan(FAN))
    submitted = time.monotonic()
    workflow = run(definition, 1)[0]
    return {"steps_per_s": (FAN + 2) / seconds_since(submitted, [workflow])}


def many() -> dict[str, float]:
    """W3: steps a second, from before the submission of all to the end of the last."""
    definition = _stored(chain(SHORT))
    submitted = time.monotonic()
    workflows = run(definition, WORKFLOWS)
    return {"steps_per_s": WORKFLOWS * SHORT / seconds_since(submitted, workflows)}


def latency() -> list[float]:
    """W4: milliseconds from the submit call to the body of the step, with pauses in between."""
    definition = _stored(chain(1))
    found = []
    for _ in range(SUBMISSIONS):
        time.sleep(PAUSE_SECONDS)
        submitted = time.monotonic()
        workflow = start(order=Order(definition, "W4"), now=database_now())
        _wait([workflow])
        found.append((_began(workflow)[0] - submitted) * 1000)
    return found


def one_map() -> dict[str, float]:
    """W6: elements a second of a `map` with `http_call` to a server on loopback, and how many calls there were at once."""
    with serving(seconds=ANSWER_SECONDS) as server:
        call = Node("each", "http_call", config={"url": server.url})
        over = {"items": list(range(ELEMENTS)), "limit": LIMIT, "collect": "body.ok"}
        definition = _stored(Definition((Node("each", "map", config=over, body=call),)))
        submitted = time.monotonic()
        workflow = run(definition, 1)[0]
        if server.most > LIMIT or server.count != ELEMENTS:
            raise SystemExit(f"{server.count} calls, {server.most} at once: {ELEMENTS} and at most {LIMIT} were allowed")
        return {"elements_per_s": ELEMENTS / seconds_since(submitted, [workflow]), "at_once": server.most}


def percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, round(part * (len(values) - 1)))]


def median_of(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _stored(graph: Definition) -> StoredDefinition:
    return definitions.store(definition=graph, now=database_now())


def run(definition: StoredDefinition, count: int) -> list[Workflow]:
    workflows = start_many(orders=[Order(definition, "benchmark")] * count, now=database_now())
    _wait(workflows)
    return workflows


def _wait(workflows: Sequence[Workflow]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    keys = [workflow.pk for workflow in workflows]
    while Workflow.objects.active().filter(pk__in=keys).exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{len(keys)} workflows did not end within {PATIENCE_SECONDS} s")
        time.sleep(LOOK_SECONDS)


def _began(workflow: Workflow) -> list[float]:
    outputs: Any = workflow.steps.order_by("position").values_list("output", flat=True)
    return [output["at"] for output in outputs]


def seconds_since(submitted: float, workflows: Sequence[Workflow]) -> float:
    """Until the workflow's recorded end, which is on the wall clock: both clocks are read now to compare them."""
    offset = time.time() - time.monotonic()
    rows = Workflow.objects.filter(pk__in=[w.pk for w in workflows]).exclude(ended_at=None)
    ended = rows.latest("ended_at").ended_at or datetime.max
    unfinished = Step.objects.filter(workflow__in=workflows).exclude(status="COMPLETED").count()
    if unfinished:
        raise SystemExit(f"{unfinished} steps did not complete")
    return ended.timestamp() - offset - submitted
