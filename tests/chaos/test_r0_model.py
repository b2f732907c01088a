"""R0: any operations of any workers, reapers and people in any order, with faults at any commit, break no rule."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any, ClassVar

import hypothesis
import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from tests.chaos import ledger, locks
from tests.chaos.audit import Audit, auditing
from tests.chaos.commits import Fault
from tests.chaos.ledger import Entry
from tests.chaos.model import OPENS, REAPERS, WORKERS, World
from tests.chaos.random_graphs import graphs
from tests.engine.test_random_parts import begin
from tests.factories import NOW
from workflows_app.catalog.publish import publish
from workflows_app.graph.definition import Node
from workflows_app.models import Workflow

RUNS, SHORT_RUNS, OPERATIONS, MOST_STARTED = 500, 20, 60, 4
SHORT_SECONDS, RUNS_AT_ONCE = 12.0, 3
FAULTS = st.one_of(
    *[st.none()] * 3, st.builds(Fault, st.sampled_from(["lost", "died"]), st.sampled_from(["before", "after"]), st.integers(1, 3))
)
LATE = (Fault("refused", "before"), Fault("lost", "after"), Fault("lost", "before"), None)
SIDE_BY_SIDE = [Node(id, "echo", config={"value": id}) for id in "abc"]
WORKER, REAPER, PICK = st.integers(0, WORKERS - 1), st.integers(0, REAPERS - 1), st.integers(0, 10**4)
TRIGGERED = {
    "name": "Orders", "trigger": {"==": [{"var": "n"}, 1]}, "params": {"additionalProperties": True},
    "steps": [{"id": "show", "action": "output", "with": {"value": 1}}],
}  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One run of the model. What is the same in all of them is put on the class by the test."""

    settings: ClassVar[LazySettings]
    locks: ClassVar[locks.Locks]
    audit: ClassVar[Audit]
    counted: ClassVar[dict[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.reopens = False
        self.started = 0

    @initialize(places=st.integers(0, 2), nodes=graphs())
    def begin(self, places: int, nodes: list[Any]) -> None:
        self.settings.ENV = self.settings.ENV.model_copy(update={"max_concurrent_workflows": places})
        self.world = World(self.locks, self.audit)
        self.world.start(nodes, key=None, is_held=False)

    @precondition(lambda self: self.started < MOST_STARTED)
    @rule(nodes=graphs(), key=st.sampled_from([None, "a", "b"]), is_held=st.booleans(), fault=FAULTS)
    def start(self, nodes: list[Any], key: str | None, is_held: bool, fault: Fault | None) -> None:
        self.started += 1
        self.world.start(nodes, key=key, is_held=is_held, fault=fault)

    @rule(place=WORKER, fault=FAULTS)
    def turn(self, place: int, fault: Fault | None) -> None:
        self.world.turn(place, fault)

    @rule(place=WORKER, pick=PICK, then=st.booleans())
    def run(self, place: int, pick: int, then: bool) -> None:
        self.world.run(place, pick)
        if then:
            self.world.turn(place)

    @rule(place=WORKER)
    def claim_and_run(self, place: int) -> None:
        self.world.turn(place)
        self.world.run(place, 0)

    @rule(place=WORKER, fault=FAULTS)
    def beat(self, place: int, fault: Fault | None) -> None:
        self.world.beat(place, fault)

    @rule(place=WORKER, fault=FAULTS)
    def hand_back(self, place: int, fault: Fault | None) -> None:
        self.world.hand_back(place, fault)

    @rule(place=WORKER)
    def leave(self, place: int) -> None:
        self.world.leave(place)

    @rule(place=WORKER)
    def die(self, place: int) -> None:
        self.world.die(place)

    @rule(seconds=st.sampled_from([0.01, 1.0, 2.0, 6.0, 31.0, 61.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(place=REAPER, fault=FAULTS)
    def reap(self, place: int, fault: Fault | None) -> None:
        self.world.reap(place, fault)

    @rule(place=REAPER)
    def leases_run_out(self, place: int) -> None:
        """Workers sleep while a reaper looks as it should: who comes back brings a late result."""
        for _ in range(3):
            self.world.reap(place)
            self.world.clock.advance(2.5)

    @rule(place=WORKER, others=st.sets(WORKER, max_size=1), fault=st.sampled_from([LATE[0], *LATE]))
    def comes_back_late(self, place: int, others: set[int], fault: Fault | None) -> None:
        """Paused with results in hand while its steps are taken back: others claim them again, or it does so itself, before it has
        brought its results one by one, or without being told that it did."""
        if self.started < MOST_STARTED:
            self.start(SIDE_BY_SIDE, None, is_held=False, fault=None)
        self.world.claim_and_run_all(place)
        self.leases_run_out(0)
        for other in sorted(others - {place}):
            self.world.turn(other)
        self.world.turn(place, fault)
        for _ in range(2):
            self.world.turn(place)

    @rule(name=st.sampled_from(["stop", "resume", "retry", "retry_from", "rerun", "trigger"]), pick=PICK, fault=FAULTS)
    def verb(self, name: str, pick: int, fault: Fault | None) -> None:
        if name == "rerun" and Workflow.objects.count() > 3 * MOST_STARTED:
            return
        self.reopens = name in OPENS
        self.world.verb(name, pick, fault)

    @rule(pick=PICK, fault=FAULTS)
    def approve(self, pick: int, fault: Fault | None) -> None:
        self.world.approve(pick, fault)

    @rule(key=st.sampled_from([None, "a", "b"]), fault=FAULTS)
    def send(self, key: str | None, fault: Fault | None) -> None:
        self.world.send(key, fault)

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "world"):
            self.world.check(reopens=self.reopens)
            self.reopens = False

    def teardown(self) -> None:
        """Faults stop. After a failure there is nothing more to judge."""
        if not hasattr(self, "world"):
            return
        if sys.exc_info()[0] is None:
            self.world.calm()
            self.world.judge()
            self.counted["runs"] += 1
            self.counted["steps"] += self.world.steps_run
            self.counted["faults"] += self.world.faults
        for worker in self.world.workers:
            self.locks.let_go(worker.id)
            worker.forget()


@pytest.fixture
def machine(transactional_db: None, settings: LazySettings, now: Any) -> Any:
    settings.ENV = settings.ENV.model_copy(update={"worker_heartbeat_timeout": 4.0, "worker_heartbeat_interval": 1.0})
    begin()
    publish(slug="orders", source=json.dumps(TRIGGERED), now=NOW)
    with locks.holding() as held, auditing() as audit:
        kept = {"settings": settings, "locks": held, "audit": audit, "counted": {"runs": 0, "steps": 0, "faults": 0}}
        yield type("Machine", (Machine,), kept)


def _goes_on(runs: int, seconds: float, scale: float) -> bool:
    return runs < min(RUNS, int(SHORT_RUNS * scale)) and seconds < SHORT_SECONDS * scale


def test_no_order_of_operations_and_faults_breaks_a_rule(machine: type[Machine], seed: int, scale: float) -> None:
    """A few runs at a time, so that a slow machine does fewer of them: the clock must have no say in what hypothesis draws."""
    began, dice = time.monotonic(), random.Random(seed)
    options = hypothesis.settings(
        max_examples=RUNS_AT_ONCE, stateful_step_count=OPERATIONS, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )  # fmt: skip
    while not machine.counted["runs"] or _goes_on(machine.counted["runs"], time.monotonic() - began, scale):
        run_state_machine_as_test(hypothesis.seed(dice.randrange(10**9))(machine), settings=options)
    found, seconds = machine.counted, time.monotonic() - began
    figures = f"{found['runs']} runs of {OPERATIONS} operations"
    ledger.note(Entry("R0", "any operations, any faults", found["steps"], found["faults"], seconds=seconds, figures=figures))
    assert all(found.values())


@pytest.mark.parametrize("others", [set(), {1}])
@pytest.mark.parametrize("fault", LATE)
def test_a_late_result_is_nobodys_however_it_comes(machine: type[Machine], fault: Fault | None, others: set[int]) -> None:
    """What the random operations meet now and then, once for certain."""
    run = machine()
    run.begin(places=0, nodes=SIDE_BY_SIDE)
    for _ in range(2):
        run.comes_back_late(place=0, others=others, fault=fault)
        run.no_rule_is_broken()
    run.teardown()
    assert run.counted["steps"] >= len(SIDE_BY_SIDE)
