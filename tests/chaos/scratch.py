"""A database of a test's own, empty: to migrate to an earlier schema and on from there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

APP = "workflows_app"


@contextmanager
def scratch_database(place: Path) -> Iterator[None]:
    """The default connection, and who asks for `shared_database`, use it meanwhile."""
    usual = connection.settings_dict["NAME"]
    name = str(place / "scratch.sqlite3") if connection.vendor == "sqlite" else f"scratch_{uuid.uuid4().hex}"
    _on_the_server(f'CREATE DATABASE "{name}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        _on_the_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate_to(prefix: str) -> StateApps:
    """Every app to its newest migration, ours to the one whose name begins so (`""`: the newest too); the models as they were then."""
    executor = MigrationExecutor(connection)
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] != APP or not prefix]
    wanted = [node for node in executor.loader.graph.nodes if node[0] == APP and prefix and node[1].startswith(prefix)]
    return executor.migrate([*leaves, *wanted]).apps


def _on_the_server(statement: str) -> None:
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(statement)
