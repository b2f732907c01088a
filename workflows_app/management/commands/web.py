"""`manage.py web`: the web server alone."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from hybrid_site import web
from workflows_app.management.database import require_migrated
from workflows_app.management.task_modules import require_tasks


class Command(BaseCommand):
    help = "Serve pages and API on HOST:PORT until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        require_tasks()
        require_migrated()
        call_command("collectstatic", interactive=False, verbosity=0)
        web.serve()
