"""`manage.py drain`: says whom it asked, waits for what they run, refuses names that are nobody's."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from tests.engine.conftest import stage
from tests.engine.rival import claim_as, registered
from tests.engine.stage import Stage, node
from tests.processes.group import until
from workflows_app.engine import recovery
from workflows_app.models import Step, Worker

__all__ = ["stage"]
ONE = "a1" * 16


def drain(*arguments: str) -> str:
    said = StringIO()
    call_command("drain", *arguments, stdout=said)
    return said.getvalue()


def test_without_a_name_it_asks_for_one(stage: Stage) -> None:
    with pytest.raises(CommandError, match="Say which: ids of workers, or --host HOST"):
        drain()


def test_a_name_that_is_nobodys_changes_nothing(stage: Stage) -> None:
    registered(ONE, now=stage.now, is_here=False)
    with pytest.raises(CommandError, match="No live worker has an id that begins with 'zz'"):
        drain("a1", "zz")
    assert Worker.objects.get(id=ONE).drain_requested_at is None


def test_it_says_whom_it_asked_and_how_to_take_that_back(stage: Stage) -> None:
    registered(ONE, now=stage.now, is_here=False)
    assert drain("a1") == "1 worker asked to drain; they run 0 steps now.\nDrained: they run nothing and take nothing.\n"
    assert Worker.objects.get(id=ONE).drain_requested_at is not None
    assert drain("a1", "--undo") == "1 of 1 worker take steps again.\n"
    assert Worker.objects.get(id=ONE).drain_requested_at is None


def test_it_waits_for_what_they_run_unless_told_not_to(stage: Stage) -> None:
    registered(ONE, now=stage.now, is_here=False)
    stage.start(node("a"))
    claim_as(ONE, now=stage.now)
    assert drain("a1", "--no-wait") == "1 worker asked to drain; they run 1 step now.\n"
    over = threading.Event()

    def wait() -> None:
        drain("a1")
        connections.close_all()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not over.wait(0.3)
    Step.objects.update(lease_expires_at=stage.now)
    recovery.take_back(now=stage.now.replace(year=stage.now.year + 1))
    until("it has waited enough", over.is_set)
