"""Every change of a status, written down by triggers in the database itself: what no later change can hide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

STEP, WORKFLOW = "workflows_app_step", "workflows_app_workflow"
COLUMNS = ("kind", "workflow_id", "row_id", "parent_id", "was", "became", "attempt_was", "attempt", "seq_was", "seq")
OF_STEP = ("'step'", "NEW.workflow_id", "NEW.id", "NEW.parent_id", "OLD.status", "NEW.status", "OLD.attempt", "NEW.attempt", "0", "0")
OF_WORKFLOW = ("'workflow'", "NEW.id", "NEW.id", "NULL", "OLD.status", "NEW.status", "0", "0", "OLD.seq", "NEW.seq")
STEP_CHANGES = "OLD.status <> NEW.status OR OLD.attempt <> NEW.attempt"
WORKFLOW_CHANGES = "OLD.status <> NEW.status OR OLD.seq <> NEW.seq"


@dataclass(frozen=True)
class Change:
    """One UPDATE of one row."""

    kind: str
    workflow_id: int
    row_id: int
    parent_id: int | None
    was: str
    became: str
    attempt_was: int
    attempt: int
    seq_was: int
    seq: int


class Audit:
    def __init__(self) -> None:
        self._read_to = 0

    def fresh(self) -> list[Change]:
        """What changed since the last look, in order."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, {', '.join(COLUMNS)} FROM chaos_audit WHERE id > %s ORDER BY id", [self._read_to])
            rows = cursor.fetchall()
        self._read_to = rows[-1][0] if rows else self._read_to
        return [Change(*row[1:]) for row in rows]


@contextmanager
def auditing() -> Iterator[Audit]:
    """Keep an audit of every step and workflow until the end of the block."""
    is_sqlite = connection.vendor == "sqlite"
    key = "INTEGER PRIMARY KEY AUTOINCREMENT" if is_sqlite else "BIGSERIAL PRIMARY KEY"
    numbers = ("workflow_id", "row_id", "parent_id", "attempt_was", "attempt", "seq_was", "seq")
    columns = ", ".join(f"{name} {'BIGINT' if name in numbers else 'TEXT'}" for name in COLUMNS)
    _run(f"CREATE TABLE chaos_audit (id {key}, {columns})")
    for table, values, changes in ((STEP, OF_STEP, STEP_CHANGES), (WORKFLOW, OF_WORKFLOW, WORKFLOW_CHANGES)):
        insert = f"INSERT INTO chaos_audit ({', '.join(COLUMNS)}) VALUES ({', '.join(values)});"
        (_sqlite_trigger if is_sqlite else _postgres_trigger)(table, insert, changes)
    try:
        yield Audit()
    finally:
        for table in (STEP, WORKFLOW):
            _run(f"DROP TRIGGER chaos_{table}" + ("" if is_sqlite else f" ON {table}"))
        _run("DROP TABLE chaos_audit")


def _sqlite_trigger(table: str, insert: str, changes: str) -> None:
    _run(f"CREATE TRIGGER chaos_{table} AFTER UPDATE ON {table} WHEN {changes} BEGIN {insert} END")


def _postgres_trigger(table: str, insert: str, changes: str) -> None:
    _run(f"CREATE OR REPLACE FUNCTION chaos_{table}() RETURNS trigger AS $$ BEGIN {insert} RETURN NULL; END $$ LANGUAGE plpgsql")
    _run(f"CREATE TRIGGER chaos_{table} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({changes}) EXECUTE FUNCTION chaos_{table}()")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
