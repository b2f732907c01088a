"""What a worker has resident: of one beside us as it is, of another as it last said."""

from __future__ import annotations

import os
import socket

import pytest

from tests.engine import tasks
from tests.engine.rival import holding_its_lock, registered
from tests.engine.stage import PromptDrain, Stage, node
from tests.factories import a_worker
from workflows_app.engine import memory, recovery, site
from workflows_app.models import Worker

MIB = 2**20
OTHER = "d" * 32


def test_a_process_has_some_and_one_that_is_not_there_none() -> None:
    own = memory.resident_bytes()
    assert own is not None and 10 * MIB < own < 10_000 * MIB
    assert memory.resident_bytes(os.getpid()) is not None
    assert memory.resident_bytes("no such process") is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "is_read"),
    [({}, True), ({"site": "another site"}, False), ({"host": "another container"}, False), ({"pid": 0x7FFFFFFF}, False)],
)
def test_only_a_worker_beside_us_is_looked_at(changes: dict[str, object], is_read: bool) -> None:
    here = {"site": site.site_id(), "host": socket.gethostname()[:255], "pid": os.getpid(), "memory_bytes": 7}
    found = memory.of_worker(a_worker(**{**here, **changes}))
    assert (found != 7) is is_read


@pytest.mark.django_db
def test_nothing_is_known_of_one_that_never_said() -> None:
    assert memory.of_worker(a_worker()) is None


def test_a_heartbeat_says_it(stage: Stage) -> None:
    Worker.objects.filter(id=stage.worker.id).delete()
    registered(stage.worker.id, now=stage.now)
    stage.start(node("a", "gated"))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["a"].wait(10)
    drain.supervision._heartbeat()
    tasks.gates["a"].set()
    drain.run()
    said = Worker.objects.get(id=stage.worker.id).memory_bytes
    assert said is not None and said > 10 * MIB


def test_the_reaper_says_it_for_an_idle_worker_where_other_hosts_look(stage: Stage) -> None:
    from django.db import connection

    registered(OTHER, now=stage.now.replace(year=2020), host=socket.gethostname()[:255], pid=os.getpid())
    with holding_its_lock(OTHER):
        recovery.look_after_workers(now=stage.now)
    said = Worker.objects.get(id=OTHER).memory_bytes
    assert said is None if connection.vendor == "sqlite" else said is not None and said > 10 * MIB
