"""`manage.py make_history`: made-up history, to measure with and to try things on."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from workflows_app.catalog import history
from workflows_app.engine.clock import database_now
from workflows_app.models import Workflow

MOST_STEPS, MOST_WORKFLOWS, MOST_DAYS = 10_000, 10_000_000, 3_650


class Command(BaseCommand):
    help = "Write made-up history: ended workflows with their steps, attempts and log lines. Only where there are no workflows yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workflows", type=int, required=True, metavar="N", help="how many")
        parser.add_argument("--steps-per-workflow", type=int, required=True, metavar="M", help="of each")
        parser.add_argument("--days", type=float, default=30.0, help="over how many days they began, up to now (30)")
        parser.add_argument("--seed", type=int, default=0, help="the same number makes the same history")
        parser.add_argument("--add", action="store_true", help="also where there are workflows already")

    def handle(self, *args: Any, workflows: int, steps_per_workflow: int, days: float, seed: int, add: bool, **options: Any) -> None:
        _refuse("--workflows", workflows, 1, MOST_WORKFLOWS)
        _refuse("--steps-per-workflow", steps_per_workflow, 1, MOST_STEPS)
        _refuse("--days", days, 0, MOST_DAYS)
        if not add and Workflow.objects.exists():
            raise CommandError("There are workflows already, and made-up ones cannot be told from them: take an empty database, or --add")
        plan = history.Plan(workflows, steps_per_workflow, days, database_now(), random.Random(seed))
        for made in history.make(plan):
            self.stderr.write(f"\r{made:,} of {workflows:,}", ending="")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        self.stderr.write("")
        self.stdout.write(f"Made: {workflows:,} workflows with {workflows * steps_per_workflow:,} steps")


def _refuse(option: str, value: float, least: int, most: int) -> None:
    if not least <= value <= most:
        raise CommandError(f"{option} is {value:g}: from {least:,} to {most:,} are allowed")
