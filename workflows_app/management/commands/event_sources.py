"""`manage.py event_sources add NAME · list`: who may send signed webhooks."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.access import event_sources
from workflows_app.engine.clock import database_now
from workflows_app.models import EventSource


class Command(BaseCommand):
    help = "Let a sender post signed webhooks to /api/events/webhooks/NAME. Its signing secret is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("add", help="make a source and print its secret").add_argument("name")
        verbs.add_parser("list", help="the sources and whether they are active")

    def handle(self, *args: Any, verb: str, name: str = "", **options: Any) -> None:
        if verb == "add":
            self._add(name)
            return
        for source in EventSource.objects.all():
            self.stdout.write(f"{source.name}\t{'active' if source.is_active else 'not active'}")

    def _add(self, name: str) -> None:
        try:
            source = event_sources.create(name=name, now=database_now())
        except event_sources.InvalidSource as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"Webhooks of {name} go to /api/events/webhooks/{name}, signed with this secret. It is not shown again.")
        self.stdout.write(source.secret)
