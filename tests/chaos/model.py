"""A small world in one process: virtual workers, two reapers, one clock, and a person who does what may be done."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F

from tests.chaos import rules
from tests.chaos.audit import Audit
from tests.chaos.commits import Died, Fault, at_commit
from tests.chaos.locks import Locks
from tests.chaos.virtual import StandingClock, VirtualWorker
from tests.engine import oracle, tasks
from tests.engine.test_random_parts import begin
from tests.factories import NOW
from workflows_app.catalog import events
from workflows_app.engine import answers, control, definitions, start
from workflows_app.engine.errors import IdempotencyConflict, NotAllowed
from workflows_app.engine.recovery import LOOK_SECONDS, Reaper
from workflows_app.engine.trigger import trigger
from workflows_app.graph.definition import Definition, Node
from workflows_app.models import Attempt, Event, Step, Workflow

WORKERS, REAPERS = 3, 2
ROUNDS = 600
OPENS = frozenset({"resume", "retry", "retry_from"})


class Steadiness:
    """When a reaper may trust leases, said once more: after looks without a gap for the length of one."""

    def __init__(self, monotonic: float) -> None:
        self._since, self._last = monotonic, monotonic

    def trusts_leases_at(self, monotonic: float) -> bool:
        return monotonic - self._last <= 3 * LOOK_SECONDS and monotonic - self._since > settings.ENV.worker_heartbeat_timeout

    def looked_at(self, monotonic: float) -> None:
        if monotonic - self._last > 3 * LOOK_SECONDS:
            self._since = monotonic
        self._last = monotonic


class World:
    """Each verb does one thing with a fault, or none, at one of its commits; `check` says whether a rule was broken by it."""

    def __init__(self, locks: Locks, audit: Audit) -> None:
        begin()
        tasks.forget()
        self.locks, self.audit = locks, audit
        self.clock = StandingClock(NOW)
        self.born = self.faults = self.steps_run = 0
        self.workers = [self._new_worker() for _ in range(WORKERS)]
        self.reapers = [self._new_reaper() for _ in range(REAPERS)]
        self.steady = [Steadiness(self.monotonic) for _ in range(REAPERS)]
        self.accepted: set[Any] = set()
        self.reopened = 0
        self.audit.fresh()

    @property
    def living(self) -> set[str]:
        return {worker.id for worker in self.workers}

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def check(self, *, reopens: bool = False) -> None:
        broken = rules.broken(self.audit.fresh(), reopens=reopens, stage_now=self)  # type: ignore[arg-type]
        assert not broken, "\n".join(broken)

    def turn(self, place: int, fault: Fault | None = None) -> None:
        self._as_worker(place, fault, lambda worker: worker.drain.turn())

    def beat(self, place: int, fault: Fault | None = None) -> None:
        self._as_worker(place, fault, lambda worker: worker.drain.beat())

    def hand_back(self, place: int, fault: Fault | None = None) -> None:
        self._as_worker(place, fault, lambda worker: worker.drain.hand_back_unbegun())

    def leave(self, place: int) -> None:
        self.workers[place].drain.leave()

    def run(self, place: int, pick: int) -> None:
        """One claimed step runs to its end."""
        if runs := self.workers[place].runs():
            self.workers[place].begin(runs[pick % len(runs)])
            self.steps_run += 1

    def claim_and_run_all(self, place: int) -> None:
        """All ends of what it could claim are in its hand, none is recorded."""
        self.turn(place)
        while self.workers[place].runs():
            self.run(place, 0)

    def die(self, place: int) -> None:
        self.locks.let_go(self.workers[place].id)
        self.workers[place] = self._new_worker()

    def _as_worker(self, place: int, fault: Fault | None, do: Any) -> None:
        try:
            with at_commit(fault), suppress(DatabaseError):
                do(self.workers[place])
        except Died:
            self.die(place)
        self._count(fault)

    def _new_worker(self) -> VirtualWorker:
        self.born += 1
        worker = VirtualWorker(f"{self.born:032}", self.clock)
        self.locks.hold(worker.id)
        return worker

    def reap(self, place: int, fault: Fault | None = None) -> None:
        held, trusts = self._held(), self.steady[place].trusts_leases_at(self.monotonic)
        try:
            with at_commit(fault), suppress(DatabaseError):
                self.reapers[place].tick(now=self.now, monotonic=self.monotonic)
                self.steady[place].looked_at(self.monotonic)
        except Died:
            self.reapers[place] = self._new_reaper()
            self.steady[place] = Steadiness(self.monotonic)
        self._count(fault)
        for id, (worker_id, lease) in self._taken_back(held).items():
            is_late = trusts and lease < self.now
            assert is_late or worker_id not in self.living, f"step {id} was taken from {worker_id}, who lives and whose lease was good"

    def _held(self) -> dict[int, tuple[str, datetime]]:
        """Running steps: whose they are, and how long."""
        return {
            id: (worker_id, lease) for id, worker_id, lease in Step.objects.running().values_list("pk", "worker_id", "lease_expires_at")
        }

    def _taken_back(self, held: dict[int, tuple[str, datetime]]) -> dict[int, tuple[str, datetime]]:
        """Those of them that were; others may have been stopped meanwhile."""
        ends = Attempt.objects.filter(step__in=held, number=F("step__attempt"), outcome__in=["crashed", "released"])
        gone = set(ends.exclude(step__status="RUNNING").values_list("step_id", flat=True))
        return {id: who for id, who in held.items() if id in gone}

    def _new_reaper(self) -> Reaper:
        reaper = Reaper(on_frozen=lambda: None)
        reaper._steady_since = self.monotonic
        return reaper

    def start(self, nodes: list[Node], *, key: str | None, is_held: bool, fault: Fault | None = None) -> None:
        row = definitions.store(definition=Definition(tuple(nodes)), now=self.now)
        digest = row.digest if key else ""
        order = start.Order(definition=row, name="A workflow", idempotency_key=key, idempotency_digest=digest, awaits_trigger=is_held)
        self._as_person(fault, lambda: self.accepted.add(start.start(order=order, now=self.now).uid))

    def verb(self, name: str, pick: int, fault: Fault | None = None) -> None:
        workflows = list(Workflow.objects.order_by("id"))
        if not workflows:
            return
        workflow = workflows[pick % len(workflows)]
        changes: dict[str, Any] = {}
        if name == "retry_from":
            ids = sorted(workflow.definition.compiled().by_id)
            changes = {"from_step": ids[pick // 7 % len(ids)]}
            self.reopened += 1
        do = trigger if name == "trigger" else getattr(control, name.removesuffix("_from"))
        self._as_person(fault, lambda: do(uid=workflow.uid, now=self.now, **changes))

    def approve(self, pick: int, fault: Fault | None = None) -> None:
        waiting = list(Step.objects.filter(waits_for=Step.APPROVAL).order_by("id"))
        if waiting:
            asked = waiting[pick % len(waiting)]
            said = {"approved": pick % 3 > 0, "by": "Ada", "at": None, "data": {}, "reason": ""}
            values = {"step_id": asked.pk, "attempt": asked.attempt, "kind": Step.APPROVAL, "answer": said}
            self._as_person(fault, lambda: answers.answer(now=self.now, **values))

    def send(self, key: str | None, fault: Fault | None = None) -> None:
        """One with a key starts a workflow; any wakes who waits."""
        payload = {"n": 1 if key else 2}
        self._as_person(fault, lambda: events.receive(payload=payload, source="shop", idempotency_key=key, now=self.now))

    def _as_person(self, fault: Fault | None, do: Any) -> None:
        with at_commit(fault), suppress(NotAllowed, IdempotencyConflict, DatabaseError, Died):
            do()
        self._count(fault)

    def _count(self, fault: Fault | None) -> None:
        if fault is not None:
            self.faults += 1
            connection.close()

    def calm(self) -> None:
        """No more faults: everything that waits gets what it waits for, and then everything has ended."""
        for _ in range(ROUNDS):
            self._work()
            self.check()
            for workflow in Workflow.objects.active().filter(awaits_trigger=True):
                trigger(uid=workflow.uid, now=self.now)
            self.approve(1)
            self.send(None)
            if not Workflow.objects.active().exists() and not any(worker.drain.running for worker in self.workers):
                return
            self._move_on()
        active = [(w.pk, w.status, list(w.steps.values_list("node_id", "status", "waits_for"))) for w in Workflow.objects.active()]
        raise AssertionError(f"still not ended: {active}")

    def _work(self) -> None:
        for place, worker in enumerate(self.workers):
            worker.drain.beat()
            while worker.runs():
                self.run(place, 0)
            worker.drain.turn()
        for place in range(REAPERS):
            self.reap(place)

    def _move_on(self) -> None:
        """Nearer to the next timer or end of a lease, in steps that keep a reaper steady."""
        moments = Step.objects.filter(available_at__isnull=False).order_by("available_at").values_list("available_at", flat=True)
        leases = Step.objects.filter(lease_expires_at__isnull=False).values_list("lease_expires_at", flat=True)
        due = min([*moments[:1], *leases, self.now + timedelta(seconds=60)])
        self.clock.advance(1.5 if leases else max(0.001, (due - self.now).total_seconds() + 0.001))

    def judge(self) -> None:
        """After `calm`."""
        for workflow in Workflow.objects.all():
            oracle.judge(workflow, retries_from=self.reopened)
        assert not Step.objects.filter(ended_at__isnull=True).exists(), "a step of an ended workflow has not ended"
        assert set(Workflow.objects.filter(uid__in=self.accepted).values_list("uid", flat=True)) == self.accepted, (
            "an accepted workflow is lost"
        )
        for event in Event.objects.all():
            matched = sum(match["matched"] for match in event.matches)
            assert event.workflows.count() == matched, f"event {event.pk} matched {matched} triggers, started {event.workflows.count()}"
            assert event.is_delivered
