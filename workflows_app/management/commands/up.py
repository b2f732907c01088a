"""`manage.py up`: the web server and the workers under one foreground command."""

from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from hybrid_site import web
from hybrid_site.processes import Child, Supervisor
from workflows_app.access.local_user import local_user
from workflows_app.catalog import bundled
from workflows_app.engine import broker
from workflows_app.engine.clock import database_now
from workflows_app.engine.retention import space
from workflows_app.management.task_modules import require_tasks

STOP_SLACK_SECONDS = 8


class Command(BaseCommand):
    help = "Set up the data directory, then run the web server and the workers until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        require_tasks()
        _refuse_taken_port()
        _prepare_or_say_why_not()
        if not _can_shrink():
            self.stdout.write(
                "The database file was made by an early release and never shrinks. To mend that, stop this and run once: "
                "manage.py prune --vacuum"
            )
        children = [Child("web", web.serve), Child("worker", broker.run_cluster, final_code=broker.DRAINED_EXIT)]
        supervisor = Supervisor(children, stop_seconds=settings.ENV.worker_grace + STOP_SLACK_SECONDS)
        code = supervisor.run(on_started=self._say_ready)
        self.stdout.write("Stopped." if code == 0 else "Stopped; some processes had to be killed. Their steps run again at the next start.")
        raise SystemExit(code)

    def _say_ready(self) -> None:
        _wait_until_listening()
        self.stdout.write(f"Hybrid Engine is ready at {settings.ENV.base_url} (data in {settings.DATA_DIR}). Ctrl-C stops it.")
        self.stdout.flush()


def prepare() -> None:
    """Bring database, static files, bundled templates and the local user up to date. Safe to repeat."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    bundled.load(now=database_now())
    if settings.IS_LOCAL:
        local_user()
    connections.close_all()


def _can_shrink() -> bool:
    try:
        return space.can_shrink()
    finally:
        connections.close_all()


def _prepare_or_say_why_not() -> None:
    try:
        prepare()
    except OperationalError as error:
        why = " ".join(str(error).split())
        raise CommandError(
            f"The database cannot be used: {why}. DATABASE_URL, or DATA_DIR when that is empty, says where it is."
        ) from error


def _refuse_taken_port() -> None:
    family = socket.AF_INET6 if ":" in settings.ENV.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.ENV.host, settings.ENV.port))
        except OSError as error:
            problem = f"Cannot listen on {settings.ENV.base_url}: {error.strerror}"
            raise CommandError(f"{problem}. Choose another port: PORT=8001 make run") from None


def _wait_until_listening() -> None:
    while True:
        try:
            socket.create_connection((settings.ENV.host, settings.ENV.port), timeout=0.05).close()
        except OSError:
            continue
        return
