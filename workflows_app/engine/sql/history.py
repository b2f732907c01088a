"""Statements that write made-up history: ended steps, the attempts at them, what they said."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import ATTEMPT, LOG_LINE, STEP


def add_ended_steps(d: Dialect) -> str:
    columns = {
        "workflow_id": "bigint", "node_id": "text", "position": "int", "action": "text", "status": "text", "attempt": "int",
        "failures": "int", "output": "text", "error": "text", "metadata": "text", "started_at": "timestamptz",
        "claimed_at": "timestamptz", "ended_at": "timestamptz",
    }  # fmt: skip
    fixed = {
        "executor": "0", "priority": "5", "remaining": "0", "succeeded_needs": "0", "failed_needs": "0", "skipped_needs": "0",
        "crashes": "0", "open_elements": "0", "concurrency_limit": "0", "worker_id": "''", "is_skipped": "FALSE",
    }  # fmt: skip
    json = ("output", "metadata")
    values = [*(d.json(f"b.{name}") if name in json else f"b.{name}" for name in columns), *fixed.values()]
    return f"""
        INSERT INTO {STEP} ({", ".join([*columns, *fixed])}) SELECT {", ".join(values)} FROM {d.rows("batch", columns)} RETURNING id"""


def add_last_attempts(d: Dialect) -> str:
    """Of the steps from this id on: how each ended."""
    return f"""
        INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
        SELECT id, attempt, {d.param("worker", "text")}, LOWER(status), error, claimed_at, ended_at
        FROM {STEP} WHERE id >= {d.param("first")} AND attempt > 0"""


def add_first_attempts(d: Dialect) -> str:
    """And of those that needed two: how the first did."""
    return f"""
        INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
        SELECT id, 1, {d.param("worker", "text")}, 'retried', {d.param("error", "text")}, started_at, claimed_at
        FROM {STEP} WHERE id >= {d.param("first")} AND attempt = 2"""


def add_lines(d: Dialect) -> str:
    return f"""
        INSERT INTO {LOG_LINE} (step_id, attempt, at, level, message)
        SELECT id, attempt, claimed_at, 'INFO', {d.param("message", "text")} FROM {STEP} WHERE id >= {d.param("first")} AND attempt > 0"""
