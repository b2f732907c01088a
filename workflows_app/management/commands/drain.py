"""`manage.py drain WORKER…`: take worker processes, or a host, out of service gently."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.engine import draining
from workflows_app.engine.clock import database_now
from workflows_app.models import Worker

LOOK_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Let worker processes finish what they run and take no more steps, and wait until they have. A group whose processes are all "
        "drained leaves and is not started again by `manage.py up`; one that is drained alone rests until --undo."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workers", nargs="*", metavar="WORKER", help="the id of a worker or its beginning")
        parser.add_argument("--host", default="", help="every worker of this host")
        parser.add_argument("--undo", action="store_true", help="let them take steps again")
        parser.add_argument("--no-wait", action="store_true", help="do not wait for what they run")

    def handle(self, *args: Any, workers: list[str], host: str, undo: bool, no_wait: bool, **options: Any) -> None:
        if not workers and not host:
            raise CommandError("Say which: ids of workers, or --host HOST.")
        try:
            found = draining.find(workers, host=host, now=database_now())
        except draining.NoSuchWorker as error:
            raise CommandError(str(error)) from None
        if undo:
            self.stdout.write(f"{draining.cancel(found)} of {_count(found)} take steps again.")
            return
        draining.request(found, now=database_now())
        self.stdout.write(f"{_count(found)} asked to drain; they run {_steps(found)} now.")
        if not no_wait:
            self._wait(found)

    def _wait(self, found: Sequence[Worker]) -> None:
        self.stdout.flush()
        while draining.held_by(found):
            time.sleep(LOOK_SECONDS)
        self.stdout.write("Drained: they run nothing and take nothing.")


def _count(found: Sequence[Worker]) -> str:
    return f"{len(found)} worker{'' if len(found) == 1 else 's'}"


def _steps(found: Sequence[Worker]) -> str:
    held = draining.held_by(found)
    return f"{held} step{'' if held == 1 else 's'}"
