"""R10: very many timers that end at once, over a restart, after an hour without a worker, and over a change of the host's clock time.

There are no schedules yet, so nothing has to be caught up with by a policy: what is overdue runs once.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from tests.chaos.ledger import Entry, note
from tests.engine import oracle
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.engine.start import Order, start_many
from workflows_app.graph.definition import PRIORITIES, Definition, Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Attempt, Step, Workflow
from workflows_app.models.workflows import StepQuerySet

Workers = Callable[..., Group]
VALUE = {"value": 1}
TIMERS, MOST_TIMERS, LATE_SECONDS, OTHERS, OTHER_SECONDS = 2_000, 10_000, 2.0, 5, 2.0
OVERDUE, SOON, A_WHILE = 400, timedelta(seconds=1), timedelta(hours=1)
ZONES = {
    "forward": "AAA0BBB-1,{day}/{at},{other}/0",
    "back": "AAA0BBB-1,{other}/0,{day}/{at_summer}",
}


def test_timers_that_end_at_once_are_never_early_and_hardly_late_and_starve_nobody(workers: Workers, scale: float) -> None:
    count = min(MOST_TIMERS, int(TIMERS * scale))
    workers()
    begin_delays(count)
    due = database_now() + SOON
    timers().update(available_at=due)
    until("they are due", lambda: database_now() >= due)
    others = [
        begin(Node("a", "transform", config=VALUE), Node("b", "transform", needs=("a",), config=VALUE), name="other") for _ in range(OTHERS)
    ]
    until("all have ended", lambda: not Workflow.objects.active().exists(), seconds=60)
    early, late = lateness(due)
    assert {finished(other).status for other in others} == {Status.COMPLETED}
    slowest = max(seconds_of(finished(other)) for other in others)
    figures = f"{count:,} due at once: the last ended {late:.2f} s after; the slowest of {OTHERS} other workflows took {slowest:.2f} s"
    note(Entry("R10", "timers that end at once", steps=count, twice=ended_twice(), seconds=late, figures=figures))
    judge_some()
    assert not early and not ended_twice() and late <= LATE_SECONDS and slowest <= OTHER_SECONDS


def test_delays_over_a_restart_are_neither_early_nor_lost(workers: Workers) -> None:
    first = workers()
    begin_delays(200)
    first.destroy()
    due = database_now() + SOON
    timers().update(available_at=due)
    workers()
    until("all have ended", lambda: not Workflow.objects.active().exists(), seconds=60)
    early, late = lateness(due)
    note(Entry("R10", "delays over a restart", steps=200, faults=1, twice=ended_twice(), seconds=late, figures=f"late by {late:.2f} s"))
    judge_some()
    assert not early and not ended_twice() and set(Attempt.objects.values_list("outcome", flat=True)) == {"completed"}


def test_after_an_hour_without_a_worker_what_is_overdue_runs_once_and_the_most_urgent_first(workers: Workers) -> None:
    """The less urgent were due earlier; new work does not wait for all of them."""
    first = workers()
    begin_delays(OVERDUE, priority="low")
    begin_delays(OVERDUE, priority="high")
    first.destroy()
    now = database_now()
    timers().filter(priority=PRIORITIES["low"]).update(available_at=now - A_WHILE)
    timers().filter(priority=PRIORITIES["high"]).update(available_at=now - A_WHILE / 2)
    workers()
    other = finished(begin(Node("a", "transform", config=VALUE), name="other"))
    until("all have ended", lambda: not Workflow.objects.active().exists(), seconds=60)
    ranks = list(Step.objects.filter(action="delay").order_by("ended_at").values_list("priority", flat=True))
    high, low = (median_rank(ranks, PRIORITIES[name]) for name in ("high", "low"))
    figures = f"median place of the urgent {high:.0f}, of the others {low:.0f} of {len(ranks)}; new work took {seconds_of(other):.2f} s"
    note(Entry("R10", "an hour without a worker", steps=2 * OVERDUE, faults=1, twice=ended_twice(), figures=figures))
    judge_some()
    assert not ended_twice() and high < low - OVERDUE / 4 and seconds_of(other) <= OTHER_SECONDS


@pytest.mark.parametrize("which", ZONES)
def test_a_change_to_or_from_summer_time_on_the_host_moves_no_timer(workers: Workers, which: str) -> None:
    """The worker's zone changes a second after the timer began and before it ends: times are kept in UTC."""
    workers(TZ=zone(which, database_now() + timedelta(seconds=3)))
    workflow = begin(Node("wait", "delay", config={"seconds": 4}), Node("b", "transform", needs=("wait",), config=VALUE))
    finished(workflow)
    waited = seconds_of(workflow)
    note(Entry("R10", f"summer time, clocks {which}", steps=2, figures=f"a delay of 4 s took {waited:.2f} s"))
    oracle.judge(workflow)
    assert 4 <= waited <= 4 + LATE_SECONDS


def begin_delays(count: int, *, priority: str = "normal") -> None:
    """Workflows of one long delay each, which workers have begun."""
    now, before = database_now(), timers().count()
    node = Node("wait", "delay", config={"seconds": 3600}, priority=PRIORITIES[priority])
    row = definitions.store(definition=Definition((node,)), now=now)
    start_many(orders=[Order(row, "delay")] * count, now=now)
    until("all wait for their time", lambda: timers().count() == before + count, seconds=60)


def timers() -> StepQuerySet:
    return Step.objects.filter(action="delay", status=Status.WAITING_FOR_DEPENDENCY, available_at__isnull=False)


def lateness(due: datetime) -> tuple[int, float]:
    """How many ended before `due`, and how many seconds after it the last did."""
    ended = [moment for moment in Step.objects.filter(action="delay").values_list("ended_at", flat=True) if moment]
    return sum(moment < due for moment in ended), (max(ended) - due).total_seconds()


def ended_twice() -> int:
    return Attempt.objects.filter(number__gt=1).count()


def judge_some() -> None:
    for workflow in Workflow.objects.order_by("?")[:20]:
        oracle.judge(workflow)


def seconds_of(workflow: Workflow) -> float:
    assert workflow.ended_at
    return (workflow.ended_at - workflow.created_at).total_seconds()


def median_rank(priorities: Sequence[int], wanted: int) -> float:
    return statistics.median(rank for rank, priority in enumerate(priorities) if priority == wanted)


def zone(which: str, moment: datetime) -> str:
    """A time zone (POSIX) whose clocks change at this moment: a day of the year, from 0, and a local time."""
    day = moment.timetuple().tm_yday - 1
    summer = f"{moment.hour + 1}:{moment:%M:%S}"
    return ZONES[which].format(day=day, at=f"{moment:%H:%M:%S}", at_summer=summer, other=(day + 180) % 365)
