"""Statements that count workflows by minute, from indexes alone where they have ended."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import WORKFLOW


def ended_by_minute(d: Dialect) -> str:
    """`(status, 'YYYY-MM-DD HH:MM' in UTC, how many)` of those that ended since, by their last change."""
    return f"""
        SELECT status, {_minute(d, "minute")}, n FROM (
            SELECT status, {_cut(d, "updated_at")} AS minute, COUNT(*) AS n FROM {WORKFLOW}
            WHERE ended_at IS NOT NULL AND status IN ('COMPLETED', 'FAILED', 'STOPPED') AND updated_at >= {d.param("since", "timestamptz")}
            GROUP BY status, minute) AS ended"""


def active_by_minute(d: Dialect) -> str:
    """The same of the newest active ones, by when they were created."""
    return f"""
        SELECT status, {_minute(d, "minute")}, n FROM (
            SELECT status, {_cut(d, "created_at")} AS minute, COUNT(*) AS n FROM (
                SELECT status, created_at FROM {WORKFLOW} WHERE ended_at IS NULL ORDER BY id DESC LIMIT {d.param("most", "int")}) AS newest
            WHERE created_at >= {d.param("since", "timestamptz")} GROUP BY status, minute) AS active"""


def _cut(d: Dialect, column: str) -> str:
    """SQLite keeps a time as text, and is much quicker to shorten that than to compute with it."""
    return f"substr({column}, 1, 16)" if d.is_sqlite else f"date_trunc('minute', {column})"


def _minute(d: Dialect, column: str) -> str:
    return column if d.is_sqlite else f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
