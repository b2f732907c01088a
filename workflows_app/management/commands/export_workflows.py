"""`manage.py export_workflows DIR [filters]`: workflows as files, one directory each (docs/export-import.md)."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.engine.archive import exporting
from workflows_app.engine.archive.documents import moment
from workflows_app.engine.control import find
from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.report import Filters
from workflows_app.graph.statuses import Status


class Command(BaseCommand):
    help = "Write workflows to DIR/{id}/state.json and definition.json: all, or those that every filter lets through."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="where to; it is made if it is not there")
        parser.add_argument("--id", action="append", default=[], dest="ids", metavar="ID", help="this workflow; repeat it for several")
        parser.add_argument("--status", action="append", default=[], choices=list(Status), help="repeat it for several")
        parser.add_argument("--template", default="", metavar="SLUG")
        parser.add_argument("--tag", default="")
        parser.add_argument("--q", default="", metavar="TEXT", help="part of the name, or the start of the id")
        parser.add_argument("--parent-id", type=_uuid, metavar="ID")
        parser.add_argument("--created-after", type=_moment, metavar="TIME", help="ISO 8601; UTC unless it says otherwise")
        parser.add_argument("--created-before", type=_moment, metavar="TIME")

    def handle(self, *args: Any, directory: Path, ids: list[str], **options: Any) -> None:
        try:
            wanted = [find(id).uid for id in ids]
            written, refused = self._write(exporting.export(path=directory, filters=_filters(options), ids=wanted))
        except (OSError, WorkflowNotFound) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Exported: {written} to {directory}")
        if refused:
            raise CommandError(f"{refused} not written, for the reasons above")

    def _write(self, results: Any) -> tuple[int, int]:
        counts = [0, 0]
        for result in results:
            counts[bool(result.refused)] += 1
            if said := result.refused or result.warning:
                self.stderr.write(f"{result.id}: {said}")
        return counts[0], counts[1]


def _filters(options: dict[str, Any]) -> Filters:
    return Filters(
        statuses=options["status"], template=options["template"], tag=options["tag"], q=options["q"], parent=options["parent_id"],
        created_after=options["created_after"], created_before=options["created_before"],
    )  # fmt: skip


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise ArgumentTypeError(f"it {error}") from None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no id of a workflow") from None
