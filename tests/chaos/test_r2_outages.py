"""R2: the database stops for a while, or cuts every connection, under load: nothing runs twice, nobody is answered 500."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import Error, connection
from pytest_django.plugin import DjangoDbBlocker

from tests.chaos.ledger import Entry, note
from tests.chaos.outages import Clients, cut_all, own_server
from tests.processes.conftest import begin
from tests.processes.group import Group, until
from tests.processes.test_kills import all_final, judge, started
from tests.processes.test_up import Product
from tests.with_postgres import Server
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Attempt, Workflow

only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server to lose")
CHAINS, LINKS, NAP_SECONDS = 8, 40, 0.05
SLACK_SECONDS = 5.0


class Place:
    """A server, the product on it, and how long the load takes when nothing happens."""

    def __init__(self, server: Server, product: Product, directory: Path) -> None:
        self.server, self.product, self.directory = server, product, directory
        for _ in ("to warm up", "to measure"):
            with Clients(product), judged(directory) as load:
                pass
        self.undisturbed_seconds = load.seconds


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("outages")
    with django_db_blocker.unblock(), own_server() as server:
        product = Product(directory, DATABASE_URL=server.url)
        try:
            until("it is ready", product.is_ready)
            yield Place(server, product, directory)
        finally:
            product.destroy()
            print(product.said()[-20_000:])


class Load:
    """The same workflows each time; what they came to."""

    def __init__(self, chains: int) -> None:
        nodes = [
            Node(f"c{n}", "nap" if n % 4 else "mark", needs=(f"c{n - 1}",) if n else (), config={"seconds": NAP_SECONDS})
            for n in range(LINKS)
        ]
        self.began = time.monotonic()
        self.runs = [begin(*nodes, name=f"chain {number}") for number in range(chains)]
        self.steps, self.seconds, self.lost, self.twice = chains * LINKS, 0.0, 0, 0


@contextmanager
def judged(place: Path, *, chains: int = CHAINS) -> Iterator[Load]:
    """Begin the load; after the block wait for its end and judge every workflow. Every step began exactly once."""
    (place / "starts").unlink(missing_ok=True)
    load = Load(chains)
    yield load
    until("all have ended", lambda: patiently(lambda: all_final(load.runs)), seconds=120)
    load.seconds = time.monotonic() - load.began
    for workflow in load.runs:
        judge(workflow, place)
    load.lost = sum(workflow.status != "COMPLETED" for workflow in load.runs)
    chains = {str(workflow.uid) for workflow in load.runs}
    load.twice = len([line for line in started(place) if line[0] in chains]) - load.steps
    load.twice += Attempt.objects.filter(step__workflow__in=load.runs).exclude(outcome="completed").count()


def patiently(ask: Callable[[], bool]) -> bool:
    """Ask a database that may be away."""
    try:
        return ask()
    except Error:
        connection.close()
        return False


def outage(place: Place, seconds: float, number: signal.Signals) -> float:
    """How long it was away, stopping and starting included."""
    began = time.monotonic()
    place.server.stop(number)
    time.sleep(seconds)
    place.server.start()
    return time.monotonic() - began


def see_accepted_end(clients: Clients) -> None:
    """What the API accepted is kept, and ends."""
    until("what was accepted ends", lambda: all_ended(clients.accepted), seconds=60)
    assert not Workflow.objects.filter(uid__in=clients.accepted).exclude(status="COMPLETED").exists()


def all_ended(uids: list[str]) -> bool:
    return Workflow.objects.filter(uid__in=uids, status__in=FINAL).count() == len(uids)


@only_postgres
def test_a_server_that_stops_for_ten_seconds_costs_ten_seconds(place: Place, scale: float, dice: random.Random) -> None:
    times, seconds, away = *((3, 10.0) if scale > 1 else (2, 5.0)), 0.0
    with Clients(place.product) as clients, judged(place.directory) as load:
        for count in range(times):
            until("some began", lambda count=count: len(started(place.directory)) > load.steps * (count + 0.3) / times)
            away += outage(place, seconds, dice.choice([signal.SIGINT, signal.SIGQUIT]))
    see_accepted_end(clients)
    note(
        Entry(
            fault="R2", case=f"server stopped {seconds:.0f} s × {times}", steps=load.steps, faults=times, lost=load.lost, twice=load.twice,
            seconds=load.seconds, undisturbed_seconds=place.undisturbed_seconds, figures=f"answers {dict(clients.statuses)}",
        )
    )  # fmt: skip
    assert (load.lost, load.twice) == (0, 0)
    assert load.seconds <= place.undisturbed_seconds + away + SLACK_SECONDS
    assert clients.bad() == {} and clients.statuses["503"] > 0 and clients.accepted


@only_postgres
def test_connections_that_are_all_cut_every_second_cost_nothing(place: Place, scale: float) -> None:
    seconds, cut = 30 if scale > 1 else 8, 0
    with Clients(place.product) as clients, judged(place.directory) as load:
        for _ in range(seconds):
            time.sleep(1)
            cut += cut_all(place.server)
    see_accepted_end(clients)
    note(
        Entry(
            fault="R2", case=f"all connections cut every second for {seconds} s", steps=load.steps, faults=cut, lost=load.lost,
            twice=load.twice, seconds=load.seconds, undisturbed_seconds=place.undisturbed_seconds,
            figures=f"answers {dict(clients.statuses)}",
        )
    )  # fmt: skip
    assert (load.lost, load.twice) == (0, 0) and cut > seconds
    assert load.seconds <= place.undisturbed_seconds + seconds + SLACK_SECONDS
    assert clients.bad() == {} and clients.accepted


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's write lock")
def test_another_program_that_holds_sqlites_lock_costs_what_it_holds_it(workers: Callable[..., Group], tmp_path: Path) -> None:
    workers()
    with judged(tmp_path) as undisturbed:
        pass
    with judged(tmp_path) as load:
        for count in range(3):
            until("some began", lambda count=count: len(started(tmp_path)) > load.steps * (count + 0.3) / 3)
            hold_lock(3.0)
    note(
        Entry(
            fault="R2", case="another program holds the lock 3 s × 3", steps=load.steps, faults=3, lost=load.lost, twice=load.twice,
            seconds=load.seconds, undisturbed_seconds=undisturbed.seconds,
        )
    )  # fmt: skip
    assert (load.lost, load.twice) == (0, 0)
    assert load.seconds <= undisturbed.seconds + 9 + SLACK_SECONDS


def hold_lock(seconds: float) -> None:
    with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
