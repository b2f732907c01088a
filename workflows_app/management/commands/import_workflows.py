"""`manage.py import_workflows DIR`: read back what `export_workflows` or an earlier engine wrote (docs/export-import.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.engine.archive import importing
from workflows_app.engine.archive.importing import Imported
from workflows_app.engine.clock import database_now
from workflows_app.management.task_modules import require_tasks


class Command(BaseCommand):
    help = "Import every DIR/{id}/state.json. A workflow that is here already is left alone; a bad directory stops no other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        require_tasks()
        try:
            counts = self._read(importing.read_all(path=directory, now=database_now()))
        except OSError as error:
            raise CommandError(str(error)) from None
        self._summarise(counts)
        if counts["refused"]:
            raise CommandError(f"{counts['refused']} refused, for the reasons above; nothing of them is stored")

    def _read(self, results: Iterable[Imported]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for result in results:
            counts[result.kind] += 1
            counts["without"] += result.kind in ("imported", "stopped") and not result.is_runnable
            if result.refused:
                self.stderr.write(f"{result.id}: {result.refused}")
        return counts

    def _summarise(self, counts: Counter[str]) -> None:
        self.stdout.write(f"Imported: {counts['imported'] + counts['stopped']}. Here already: {counts['existing']}.")
        if counts["stopped"]:
            self.stdout.write(f"{counts['stopped']} had not ended: they are STOPPED now, and a resume starts them.")
        if counts["without"]:
            self.stdout.write(f"{counts['without']} had no definition.json: they are here to be looked at, not to be run again.")
