"""R4: SIGTERM under load, again and again: the group leaves in time, nothing is lost, and nobody is blamed for what was handed back."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.chaos.ledger import Entry, note
from tests.chaos.storm import Watched, have_ended
from tests.chaos.verdict import verdict
from tests.processes.conftest import begin
from tests.processes.group import Group, until
from tests.processes.test_kills import has_begun, started
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Attempt, Step, Workflow

Workers = Callable[..., Group]
GRACE = 1.0
SLACK = 2.0
NEVER_AGAIN = RetryPolicy(retries=0)
ALWAYS = 8


def to_the_first_process(group: Group) -> None:
    group.process.send_signal(signal.SIGTERM)


def to_every_process(group: Group) -> None:
    """As a process manager does that ends a whole control group."""
    os.killpg(group.process.pid, signal.SIGTERM)


@pytest.mark.parametrize("send", [to_the_first_process, to_every_process])
def test_a_group_under_load_leaves_in_time_and_nothing_is_lost(
    workers: Workers, tmp_path: Path, scale: float, send: Callable[[Group], None]
) -> None:
    """Each time it holds steps that outlast the grace period, in threads and on the loop, between others that take no time."""
    runs, took = [_held(), *(_chain(number) for number in range(round(2 * scale)))], list[float]()
    for number in range(round(2 * scale)):
        group = workers(MAX_PARALLEL_NODES="4", WORKER_GRACE=str(GRACE))
        until("it is under load", lambda number=number: _is_under_load(tmp_path, number + 1))
        began = time.monotonic()
        send(group)
        assert group.ended() == 0, group.said()
        took.append(time.monotonic() - began)
        assert not Step.objects.running().exists()
    released = Attempt.objects.filter(outcome="released").count()
    (tmp_path / "gate").touch()
    workers(MAX_PARALLEL_NODES="4")
    until("all is done", lambda: have_ended(runs), seconds=60)
    found = verdict(runs, tmp_path)
    gone = f"gone after {statistics.median(took):.1f} s, {max(took):.1f} s at most, with {GRACE:g} s of grace"
    case, figures = f"SIGTERM under load to {_name(send)}", f"{gone}; {released} steps handed back"
    note(Entry("R4", case, found.steps, len(took), found.lost, found.twice, figures=figures))
    assert not found.broken, found.broken
    assert (found.lost, found.twice) == (0, 0)
    assert released >= ALWAYS * len(took)
    assert set(_penalties(runs)) <= {(0, 0)}
    assert max(took) <= GRACE + SLACK


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("send", [to_the_first_process, to_every_process])
def test_the_whole_product_under_load_leaves_in_time(tmp_path: Path, scale: float, send: Callable[[Group], None]) -> None:
    """`manage.py up`, web server and all."""
    runs, took = [_held()], list[float]()
    for number in range(round(scale)):
        with Watched(tmp_path, "up", WORKER_GRACE=str(GRACE)) as watched:
            until("it is under load", lambda number=number: _is_under_load(tmp_path, number + 1))
            began = time.monotonic()
            send(watched.group)
            assert watched.group.ended() == 0, watched.group.said()
            took.append(time.monotonic() - began)
    (tmp_path / "gate").touch()
    with Watched(tmp_path):
        until("all is done", lambda: have_ended(runs), seconds=60)
    found = verdict(runs, tmp_path)
    case = f"SIGTERM under load to {_name(send)} of the whole product"
    note(Entry("R4", case, found.steps, len(took), found.lost, found.twice, figures=f"gone after {max(took):.1f} s at most"))
    assert not found.broken, found.broken
    assert set(_penalties(runs)) == {(0, 0)}
    assert max(took) <= GRACE + SLACK


def _name(send: Callable[[Group], None]) -> str:
    return send.__name__.removeprefix("to_").replace("_", " ")


def _held() -> Workflow:
    """More than all that runs at once; they end when the gate is open."""
    return begin(
        *(Node(f"t{number}", "hold", retry=NEVER_AGAIN) for number in range(2)),
        *(Node(f"s{number}", "hold_async", retry=NEVER_AGAIN) for number in range(ALWAYS - 2)),
        name="held",
    )


def _chain(number: int) -> Workflow:
    """400 steps in four chains, some of which are always running."""
    nodes = [
        Node(f"c{n}", "nap" if n % 2 else "mark", needs=(f"c{n - 4}",) if n >= 4 else (), config={"seconds": 0.02}, retry=NEVER_AGAIN)
        for n in range(400)
    ]
    return begin(*nodes, name=f"chains {number}")


def _is_under_load(place: Path, times: int) -> bool:
    """Each of the held ones has begun so many times."""
    held = ["t0", "t1", *(f"s{number}" for number in range(ALWAYS - 2))]
    if not has_begun(place, *held):
        return False
    steps = [line[1] for line in started(place)]
    return all(steps.count(id) >= times for id in held)


def _penalties(runs: Sequence[Workflow]) -> Iterator[tuple[int, int]]:
    yield from Step.objects.filter(workflow__in=runs).values_list("failures", "crashes")
