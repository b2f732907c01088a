"""The database as a server finds it at its start."""

from __future__ import annotations

import logging

from django.core.management.base import CommandError
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

logger = logging.getLogger(__name__)


def require_migrated() -> None:
    """Raises CommandError with one line when migrations are missing. A database that is away may come back: then nothing is said
    against starting. One that a newer release has migrated is fine."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError as error:
        logger.warning("The database does not answer, so nobody knows whether it is migrated: %s", " ".join(str(error).split()))
        missing = []
    finally:
        connections.close_all()
    if missing:
        count = f"{len(missing)} migration{' is' if len(missing) == 1 else 's are'}"
        raise CommandError(f"{count} missing in the database. Run `manage.py migrate` first; `manage.py up` does it by itself.")
