"""Statements for the elements of a map: make a step of each, let the next begin, count those that ended."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import ATTEMPT, STEP


def add_elements(d: Dialect) -> str:
    """One step for each element. On a retry of the map, one that completed with the same element stays as it is."""
    columns = {
        "workflow_id": "bigint", "parent_id": "bigint", "node_id": "text", "position": "int", "action": "text", "executor": "int",
        "priority": "int", "status": "text", "waits_for": "text", "available_at": "timestamptz", "element": "text",
        "concurrency_key": "text", "concurrency_limit": "int",
    }  # fmt: skip
    fixed = {
        "remaining": "0", "succeeded_needs": "0", "failed_needs": "0", "skipped_needs": "0", "attempt": "0", "failures": "0",
        "crashes": "0", "open_elements": "0", "worker_id": "''", "is_skipped": "FALSE", "error": "''", "metadata": "'{}'",
    }  # fmt: skip
    values = [*(d.json("b.element") if name == "element" else f"b.{name}" for name in columns), *fixed.values()]
    again = (
        "action", "executor", "priority", "status", "waits_for", "available_at", "element", "concurrency_key", "concurrency_limit",
        "failures", "crashes", "is_skipped", "error", "metadata",
    )  # fmt: skip
    emptied = ("output", "resume", "answer", "started_at", "claimed_at", "ended_at")
    changes = [*(f"{name} = excluded.{name}" for name in again), *(f"{name} = NULL" for name in emptied)]
    same = "IS" if d.is_sqlite else "IS NOT DISTINCT FROM"
    return f"""
        INSERT INTO {STEP} ({", ".join([*columns, *fixed])}) SELECT {", ".join(values)} FROM {d.rows("batch", columns)} WHERE TRUE
        ON CONFLICT (workflow_id, node_id) DO UPDATE SET {", ".join(changes)}
        WHERE NOT ({STEP}.status = 'COMPLETED' AND {STEP}.element {same} excluded.element)"""


def open_elements(d: Dialect) -> str:
    """Count the elements that have not ended into their map; one that has none goes on at once."""
    count = f"(SELECT COUNT(*) FROM {STEP} AS e WHERE e.parent_id = s.id AND e.ended_at IS NULL)"
    return f"""
        UPDATE {STEP} AS s SET open_elements = {count},
            available_at = CASE WHEN {count} = 0 THEN {d.param("now", "timestamptz")} ELSE s.available_at END
        FROM {d.rows("batch", {"key": "bigint"})}
        WHERE s.id = b.key AND s.waits_for = 'elements' {d.among("s.id", "batch", "key")} RETURNING id"""


def count_elements(d: Dialect) -> str:
    """Count ended elements in their map; after the last, or after a failure that stops it, the map goes on. Returns each map, and
    whether it does."""
    now = d.param("now", "timestamptz")
    is_over = "s.open_elements = b.ended OR (b.failed > 0 AND CAST(s.resume->>'stop' AS int) = 1)"
    return f"""
        UPDATE {STEP} AS s SET open_elements = s.open_elements - b.ended,
            available_at = CASE WHEN {is_over} THEN {now} ELSE s.available_at END
        FROM {d.rows("batch", {"key": "bigint", "ended": "int", "failed": "int"})}
        WHERE s.id = b.key AND s.waits_for = 'elements' {d.among("s.id", "batch", "key")}
        RETURNING id, COALESCE(available_at <= {now}, FALSE)"""


def release_elements(d: Dialect) -> str:
    """Let the next elements of one map begin."""
    return f"""
        UPDATE {STEP} SET status = 'PENDING', waits_for = NULL, available_at = {d.param("now", "timestamptz")}
        WHERE id IN (SELECT id FROM {STEP} WHERE waits_for = 'turn' AND parent_id = {d.param("parent")}
            ORDER BY position LIMIT {d.param("most")})"""


def lock_elements(d: Dialect) -> str:
    """What of these maps has not ended, when whoever claims one of them now is done. PostgreSQL only: SQLite has one writer."""
    return f"""
        SELECT id FROM {STEP} WHERE {d.keys("parent_id")} AND ended_at IS NULL
        ORDER BY id {d.lock}"""


def record_stopped_elements(d: Dialect) -> str:
    """The history of elements that are about to be stopped in the middle of an attempt."""
    now = d.param("now", "timestamptz")
    return f"""
        INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
        SELECT e.id, e.attempt, e.worker_id, 'stopped', '', e.claimed_at, {now}
        FROM {STEP} AS e JOIN {d.rows("batch", {"key": "bigint"})} ON e.parent_id = b.key {d.among("e.parent_id", "batch", "key")}
        WHERE e.ended_at IS NULL AND e.status <> 'PENDING' AND e.claimed_at IS NOT NULL"""


def stop_elements(d: Dialect) -> str:
    """A map has ended: what of it has not, is stopped."""
    return f"""
        UPDATE {STEP} AS s SET status = 'STOPPED', ended_at = {d.param("now", "timestamptz")}, available_at = NULL, waits_for = NULL,
            worker_id = '', lease_expires_at = NULL, metadata = {d.json(d.param("metadata"))}
        FROM {d.rows("batch", {"key": "bigint"})} WHERE s.parent_id = b.key AND s.ended_at IS NULL
            {d.among("s.parent_id", "batch", "key")} RETURNING id"""


def load_elements(d: Dialect) -> str:
    """How the elements of these maps ended, in order."""
    return f"""
        SELECT e.parent_id, e.position, e.status, {d.text("e.output")}, e.error
        FROM {STEP} AS e JOIN {d.rows("batch", {"key": "bigint", "count": "int"})} ON e.parent_id = b.key AND e.position < b.count
            {d.among("e.parent_id", "batch", "key")}
        ORDER BY e.parent_id, e.position"""
