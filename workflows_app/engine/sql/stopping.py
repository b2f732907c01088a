"""Statements that stop workflows: lock what has not ended, write its history, end it."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import ATTEMPT, LOG_LINE, STEP, WORKFLOW


def lock_active(d: Dialect) -> str:
    """Those of a batch of workflows that have not ended, locked in the order of their ids."""
    return f"""
        SELECT id FROM {WORKFLOW} WHERE {d.keys("id")} AND ended_at IS NULL ORDER BY id {d.lock}"""


def lock_active_steps(d: Dialect) -> str:
    """Steps of these workflows, elements too, when whoever claims one of them now is done. PostgreSQL only: SQLite has one writer."""
    return f"SELECT id FROM {STEP} WHERE {_active(d, STEP)} ORDER BY id {d.lock}"


def record_stopped(d: Dialect) -> str:
    """The history of steps that are about to be stopped in the middle of an attempt."""
    return f"""
        INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
        SELECT s.id, s.attempt, s.worker_id, 'stopped', '', s.claimed_at, {d.param("now", "timestamptz")}
        FROM {STEP} AS s WHERE {_begun(d)}"""


def log_stopped(d: Dialect) -> str:
    """And what those steps say."""
    return f"""
        INSERT INTO {LOG_LINE} (step_id, attempt, at, level, message)
        SELECT s.id, s.attempt, {d.param("now", "timestamptz")}, 'WARNING', {d.param("message", "text")}
        FROM {STEP} AS s WHERE {_begun(d)}"""


def stop_steps(d: Dialect) -> str:
    return f"""
        UPDATE {STEP} SET status = 'STOPPED', ended_at = {d.param("now", "timestamptz")}, available_at = NULL, waits_for = NULL,
            worker_id = '', lease_expires_at = NULL, metadata = {d.json(d.param("metadata"))} WHERE {_active(d, STEP)}"""


def stop_workflows(d: Dialect) -> str:
    now = d.param("now", "timestamptz")
    return f"""
        UPDATE {WORKFLOW} SET status = 'STOPPED', active_steps = 0, ended_at = {now}, updated_at = {now}, seq = seq + 1,
            awaits_trigger = FALSE WHERE {d.keys("id")}"""


def _active(d: Dialect, table: str) -> str:
    return f"{d.keys(f'{table}.workflow_id')} AND {table}.ended_at IS NULL"


def _begun(d: Dialect) -> str:
    return f"{_active(d, 's')} AND s.status <> 'PENDING' AND s.claimed_at IS NOT NULL"
