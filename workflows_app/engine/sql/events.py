"""Statements for events: keep one, and find the steps that wait for it."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import STEP, WORKFLOW

EVENT, SUBSCRIPTION, TEMPLATE, VERSION = (f"workflows_app_{name}" for name in ("event", "subscription", "template", "templateversion"))


def add_events(d: Dialect) -> str:
    """Returns key, id and `is_delivered` of those that were added: there is nothing to deliver while no step waits. One whose
    idempotency key is taken, by a row or by another of the batch, is left out."""
    columns = {
        "uid": "uuid", "source": "text", "idempotency_key": "text", "idempotency_digest": "text", "payload": "text",
        "chain_depth": "int", "received_at": "timestamptz", "received_by_id": "bigint", "matches": "text",
    }  # fmt: skip
    values = [d.json(f"b.{name}") if name in ("payload", "matches") else f"b.{name}" for name in columns]
    return f"""
        INSERT INTO {EVENT} ({", ".join(columns)}, deliveries, is_delivered)
        SELECT {", ".join(values)}, {d.json("'[]'")}, NOT EXISTS (SELECT 1 FROM {SUBSCRIPTION}) FROM {d.rows("batch", columns)} WHERE 1 = 1
        ON CONFLICT (source, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING {d.text("uid")}, id, is_delivered"""


def triggered_versions(d: Dialect) -> str:
    """Ids of the current versions that an event may start, by slug."""
    return f"""
        SELECT v.id FROM {TEMPLATE} AS t JOIN {VERSION} AS v ON v.id = t.current_id
        WHERE t.deleted_at IS NULL AND v.trigger IS NOT NULL ORDER BY t.slug"""


def awaited_paths(d: Dialect) -> str:
    """The distinct paths of subscriptions: one index seek for each, however many subscriptions share it."""
    return f"""
        WITH RECURSIVE p(path) AS (
            SELECT MIN(path) FROM {SUBSCRIPTION}
            UNION ALL SELECT (SELECT MIN(u.path) FROM {SUBSCRIPTION} AS u WHERE u.path > p.path) FROM p WHERE p.path IS NOT NULL)
        SELECT path FROM p WHERE path IS NOT NULL"""


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


def workflow_statuses(d: Dialect) -> str:
    """Of workflows by their ids, 32 digits each as SQLite keeps them; PostgreSQL reads them so."""
    return f"""
        SELECT {d.text("w.uid")}, w.status FROM {WORKFLOW} AS w JOIN {d.rows("batch", {"key": "uuid"})} ON w.uid = b.key
            {d.among("w.uid", "batch", "key", "uuid")}"""
