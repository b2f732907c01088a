"""Statements for events: keep one, and find the steps that wait for it."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from functools import lru_cache

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import STEP, WORKFLOW

EVENT, SUBSCRIPTION, TEMPLATE, VERSION = (f"workflows_app_{name}" for name in ("event", "subscription", "template", "templateversion"))


@lru_cache
def add_event(d: Dialect) -> str:
    """Returns id and `is_delivered`: there is nothing to deliver while no step waits. Returns no row when the key is taken."""
    columns = {
        "uid": "uuid", "source": "text", "idempotency_key": "text", "idempotency_digest": "text", "payload": "jsonb",
        "chain_depth": "int", "received_at": "timestamptz", "received_by_id": "bigint", "matches": "jsonb",
    }  # fmt: skip
    values = ", ".join(d.param(name, kind) for name, kind in columns.items())
    return f"""
        INSERT INTO {EVENT} ({", ".join(columns)}, deliveries, is_delivered)
        SELECT {values}, {d.json("'[]'")}, NOT EXISTS (SELECT 1 FROM {SUBSCRIPTION}) WHERE 1 = 1
        ON CONFLICT (source, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING id, is_delivered"""


@lru_cache
def note_matches(d: Dialect) -> str:
    return f"UPDATE {EVENT} SET matches = {d.param('matches', 'jsonb')} WHERE id = {d.param('id')}"


@lru_cache
def triggered_versions(d: Dialect) -> str:
    """Ids of the current versions that an event may start, by slug."""
    return f"""
        SELECT v.id FROM {TEMPLATE} AS t JOIN {VERSION} AS v ON v.id = t.current_id
        WHERE t.deleted_at IS NULL AND v.trigger IS NOT NULL ORDER BY t.slug"""


@lru_cache
def awaited_paths(d: Dialect) -> str:
    """The distinct paths of subscriptions: one index seek for each, however many subscriptions share it."""
    return f"""
        WITH RECURSIVE p(path) AS (
            SELECT MIN(path) FROM {SUBSCRIPTION}
            UNION ALL SELECT (SELECT MIN(u.path) FROM {SUBSCRIPTION} AS u WHERE u.path > p.path) FROM p WHERE p.path IS NOT NULL)
        SELECT path FROM p WHERE path IS NOT NULL"""


@lru_cache
def waiting_steps(d: Dialect) -> str:
    """Steps that wait for one of these values from this source since before this time, by the order in which workflows are locked."""
    return f"""
        SELECT u.id, u.step_id, u.attempt, {d.text("u.condition")}, {d.text("w.uid")}, s.node_id
        FROM {d.rows("batch", {"at_path": "text", "digest": "text"})}
        JOIN {SUBSCRIPTION} AS u ON u.path = b.at_path AND u.value_digest = b.digest
        JOIN {STEP} AS s ON s.id = u.step_id JOIN {WORKFLOW} AS w ON w.id = s.workflow_id
        WHERE (u.source = '' OR u.source = {d.param("source")}) AND u.since <= {d.param("received_at", "timestamptz")}
            AND s.waits_for = 'event' AND s.attempt = u.attempt
        ORDER BY s.workflow_id, s.id"""
