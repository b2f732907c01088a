"""Custom tasks as a server finds them at its start."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError

from workflows_app.actions import tasks


def require_tasks() -> None:
    """Import what TASK_MODULES names. Raises CommandError with one line when a module cannot be imported."""
    try:
        tasks.registered()
    except Exception as error:  # a module of the user's may raise anything
        refused = f"TASK_MODULES={settings.ENV.task_modules!r} is not allowed: TASK_MODULES must be Python modules that can be imported"
        raise CommandError(f"{refused} ({type(error).__name__}: {error}).") from error
