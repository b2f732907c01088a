"""`manage.py prune`: remove at once what is older than it is kept, and say what went."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from workflows_app.engine.clock import database_now
from workflows_app.engine.retention import Busy, Pruning, count_old, in_words, turn
from workflows_app.engine.retention.pace import Pace
from workflows_app.engine.retention.space import can_shrink, rewrite

SHARE = 0.5


class Command(BaseCommand):
    help = "Remove ended workflows that are older than RETENTION_DAYS (or than their templates say) with all they recorded."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--older-than-days", type=_days, metavar="N", help="instead of RETENTION_DAYS; what templates say still counts")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--vacuum", action="store_true", help="SQLite: write the file anew afterwards; nothing else may run meanwhile")

    def handle(self, *args: Any, older_than_days: int | None, dry_run: bool, vacuum: bool, **options: Any) -> None:
        now = database_now()
        if dry_run:
            return self.stdout.write(f"Would remove {in_words(count_old(now=now, days=older_than_days))}.")
        try:
            with turn():
                pruned = Pruning(Pace(share=SHARE)).run(now=now, days=older_than_days)
        except Busy as error:
            raise CommandError(str(error)) from None
        given = f" The file is {pruned.bytes_given_back / 1e6:,.1f} MB smaller." if pruned.bytes_given_back else ""
        self.stdout.write(f"Removed {in_words(pruned.counts)}.{given}")
        if vacuum:
            self._rewrite()
        elif not can_shrink():
            self.stdout.write("The file was made by an early release and does not shrink: stop everything and run this with --vacuum once.")

    def _rewrite(self) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("--vacuum is for SQLite; PostgreSQL's autovacuum gives space back by itself")
        try:
            before, after = rewrite()
        except OperationalError as error:
            raise CommandError(f"The file could not be written anew ({error}): stop the web server and the workers first") from None
        self.stdout.write(f"The file was written anew: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now.")


def _days(text: str) -> int:
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not 1 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 36500")
    return days
