"""`manage.py stop_workflows [filters]`: stop every workflow that they find, after one question."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.engine.archive.documents import moment
from workflows_app.engine.clock import database_now
from workflows_app.engine.report import Filters
from workflows_app.engine.stop_many import stop_many
from workflows_app.graph.statuses import ACTIVE
from workflows_app.models import Workflow
from workflows_app.models.workflows import WorkflowQuerySet


class Command(BaseCommand):
    help = "Stop all workflows that have not ended, or those of them that every filter lets through, with their sub-workflows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--template", default="", metavar="SLUG", help="started from this template")
        parser.add_argument("--status", action="append", default=[], choices=sorted(ACTIVE), help="repeat it for several")
        parser.add_argument("--name", default="", metavar="TEXT", help="part of the name, in capitals or not")
        parser.add_argument("--tag", default="", help="has this tag")
        parser.add_argument("--created-after", type=_moment, metavar="TIME", help="ISO 8601; UTC unless it says otherwise")
        parser.add_argument("--created-before", type=_moment, metavar="TIME", help="the same")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, yes: bool, **options: Any) -> None:
        found = _found(options)
        count = found.count()
        self.stdout.write(f"{count:,} to stop.")
        if not count or not (yes or self._is_wanted(count)):
            return
        self.stdout.write(f"Stopped: {stop_many(workflows=found, now=database_now()):,}")

    def _is_wanted(self, count: int) -> bool:
        try:
            is_wanted = input(f"Stop {count:,} now? Each can be resumed, one by one. [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            raise CommandError("Nobody is here to ask; nothing was stopped. Use --yes to stop them unasked.") from None
        if not is_wanted:
            self.stdout.write("Nothing was stopped.")
        return is_wanted


def _found(options: dict[str, Any]) -> WorkflowQuerySet:
    filters = Filters(
        statuses=options["status"], template=options["template"], tag=options["tag"],
        created_after=options["created_after"], created_before=options["created_before"],
    )  # fmt: skip
    active = filters.apply(Workflow.objects.active())
    return active.filter(name__icontains=options["name"]) if options["name"] else active


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise ArgumentTypeError(f"it {error}") from None
