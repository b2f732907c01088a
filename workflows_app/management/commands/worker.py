"""`manage.py worker`: one worker group, for hosts that run no web server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workflows_app.engine import broker
from workflows_app.management.database import require_migrated
from workflows_app.management.task_modules import require_tasks


class Command(BaseCommand):
    help = "Run MAX_PARALLEL_NODES worker processes until SIGTERM or until all are drained. The exit code is not 0 when they break."

    def handle(self, *args: Any, **options: Any) -> None:
        require_tasks()
        require_migrated()
        code = broker.run_cluster()
        raise SystemExit(0 if code == broker.DRAINED_EXIT else code)
