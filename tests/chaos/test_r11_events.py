"""R11: a burst of events starts one workflow for each key, a template that triggers itself is cut, very many are stopped at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import events
from tests.chaos.ledger import Entry, note
from tests.chaos.stopwatch import worked
from tests.engine import oracle
from tests.processes.group import shared_database, until
from tests.processes.test_up import Product
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.engine.start import Order, start_many
from workflows_app.engine.stop_many import stop_many
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Workflow

EVENTS, MOST_EVENTS, DIFFERENT, BURST_SECONDS = 800, 5_000, 0.8, 10.0
VALUE = {"value": 1}
STOPPED, MOST_STOPPED, STOP_SECONDS, AT_ONCE, JUDGED = 5_000, 100_000, 10.0, 5_000, 20
MAX_CHAIN = 10
LOOP = {
    "name": "Loop",
    "trigger": {"==": [{"var": "type"}, "again"]},
    "params": {"additionalProperties": True},
    "steps": [
        {
            "id": "send",
            "action": "http_call",
            "with": {"url": "{{ engine.url }}/api/events", "method": "POST", "json": {"type": "again"}},
        }
    ],
}


@pytest.fixture
def product(transactional_db: None, tmp_path: Path) -> Iterator[Product]:
    """`manage.py up` on this test's database."""
    running = Product(tmp_path, **shared_database())
    try:
        until("it is ready", running.is_ready)
        yield running
    finally:
        running.destroy()
        print(running.said())


def test_a_burst_of_events_of_which_a_fifth_repeat_a_key_starts_one_workflow_for_each_key(
    product: Product, dice: random.Random, scale: float
) -> None:
    product.ask("/api/templates", method="POST", body={"slug": "orders", "source": events.TEMPLATE})
    keys = some_twice(min(MOST_EVENTS, int(EVENTS * scale)), dice)
    began = time.monotonic()
    answers = events.post_all(port=int(product.port), run="burst", keys=keys)
    seconds = time.monotonic() - began
    until("all have ended", lambda: not Workflow.objects.active().exists(), seconds=60)
    started = Counter(Workflow.objects.values_list("event__idempotency_key", flat=True))
    lost, twice = len(set(keys) - set(started)), sum(count > 1 for count in started.values())
    statuses = set(Workflow.objects.values_list("status", flat=True))
    figures = f"{len(keys):,} events in {seconds:.1f} s, {len(keys) / seconds:,.0f} a second"
    note(Entry("R11", "events, 20 % of the keys twice", steps=len(started), lost=lost, twice=twice, seconds=seconds, figures=figures))
    assert len(answers) == len(keys) and not lost and not twice and statuses == {Status.COMPLETED}
    assert Event.objects.count() == Workflow.objects.count() == len(set(keys))
    assert seconds <= BURST_SECONDS


def test_a_template_that_triggers_itself_is_cut(product: Product) -> None:
    product.ask("/api/templates", method="POST", body={"slug": "loop", "source": LOOP})
    product.ask("/api/events", method="POST", body={"type": "again"})
    until("the chain is cut", lambda: Event.objects.filter(chain_depth=MAX_CHAIN + 1).exists(), seconds=60)
    until("its workflows have ended", lambda: Workflow.objects.filter(status=Status.COMPLETED).count() == MAX_CHAIN + 1)
    depths = sorted(Workflow.objects.values_list("chain_depth", flat=True))
    note(Entry("R11", "a template that triggers itself", steps=len(depths), figures=f"cut at depth {depths[-1]}"))
    assert depths == list(range(MAX_CHAIN + 1)) and Event.objects.count() == MAX_CHAIN + 2


def test_very_many_are_stopped_within_seconds(transactional_db: None, scale: float) -> None:
    count = min(MOST_STOPPED, int(STOPPED * scale))
    place_all(count)
    began, used = time.monotonic(), worked()
    stopped = stop_many(workflows=Workflow.objects.all(), now=database_now())
    seconds, busy = time.monotonic() - began, worked() - used
    figures = f"{seconds:.2f} s, {busy:.2f} s of them a processor's"
    note(Entry("R11", f"{count:,} stopped", steps=2 * count, lost=count - stopped, seconds=seconds, figures=figures))
    assert stopped == count and not Workflow.objects.exclude(status=Status.STOPPED).exists()
    for workflow in Workflow.objects.order_by("?")[:JUDGED]:
        oracle.judge(workflow)
    assert min(seconds, busy) <= max(1.0, STOP_SECONDS * count / MOST_STOPPED), "one works at a time: on an idle machine it takes that long"


def some_twice(count: int, dice: random.Random) -> list[str]:
    different = [f"k{number}" for number in range(int(count * DIFFERENT))]
    keys = different + dice.sample(different, count - len(different))
    dice.shuffle(keys)
    return keys


def place_all(count: int) -> None:
    """Pending, for there is no worker."""
    now = database_now()
    row = definitions.store(
        definition=Definition((Node("a", "transform", config=VALUE), Node("b", "transform", needs=("a",), config=VALUE))), now=now
    )
    for first in range(0, count, AT_ONCE):
        start_many(orders=[Order(row, "one of many")] * min(AT_ONCE, count - first), now=now)
