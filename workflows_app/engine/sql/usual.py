"""Statements that read how long workflows and steps usually take."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import WORKFLOW


def latest_completed(d: Dialect) -> str:
    """`(version id, workflow id, seconds)` of the last few that completed, of each version in the batch: by the index on
    version, status and end, at any length of history."""
    latest = f"""SELECT id FROM {WORKFLOW} WHERE template_version_id = b.version AND status = 'COMPLETED' AND ended_at IS NOT NULL
        AND started_at IS NOT NULL ORDER BY ended_at DESC LIMIT {d.param("most", "int")}"""
    rows = d.rows("batch", {"version": "bigint"})
    if d.is_sqlite:
        seconds = "(julianday(w.ended_at) - julianday(w.started_at)) * 86400.0"
        return f"SELECT b.version, w.id, {seconds} FROM {rows} CROSS JOIN {WORKFLOW} AS w WHERE w.id IN ({latest})"
    seconds = "EXTRACT(EPOCH FROM w.ended_at - w.started_at)::float8"
    return f"""SELECT b.version, w.id, {seconds} FROM {rows} CROSS JOIN LATERAL ({latest}) AS last JOIN {WORKFLOW} AS w ON w.id = last.id"""
