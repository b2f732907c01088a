"""`manage.py queue pause|resume`: let no step start, and let them start again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.engine import pausing
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed


class Command(BaseCommand):
    help = (
        "Pause the queue as a whole: no worker takes another step, what runs goes on, what is started waits. The pause lasts until it "
        "is resumed, whatever is stopped and started meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["pause", "resume"])
        parser.add_argument("--reason", default="", help="why, for those who wonder why nothing starts (with pause)")

    def handle(self, *args: Any, verb: str, reason: str, **options: Any) -> None:
        try:
            self._pause(reason) if verb == "pause" else self._resume()
        except NotAllowed as error:
            raise CommandError(str(error)) from None

    def _pause(self, reason: str) -> None:
        pausing.pause(reason=reason, now=database_now())
        self.stdout.write("The queue is paused: nothing starts, what runs goes on. `manage.py queue resume` ends it.")

    def _resume(self) -> None:
        pausing.resume()
        self.stdout.write("The queue goes on: what is due starts now.")
