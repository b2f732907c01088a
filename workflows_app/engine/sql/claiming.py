"""Statements that claim: take due steps, keep or give back leases, load what claims need."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import FENCE, PAUSE, REVISION, STEP, WORKER, WORKFLOW, mine
from workflows_app.graph.definition import PRIORITIES

EXECUTORS = (0, 1)
KEY_LOCK = 0x4859_4B45
UNPAUSED = f"NOT EXISTS (SELECT 1 FROM {PAUSE})"


def claim(d: Dialect) -> str:
    """Take due steps that no concurrency key limits."""
    return _claim(d, _due(d, d.skip_locked))


def claim_these(d: Dialect) -> str:
    """Take the steps of a batch, which `due_of_key` chose."""
    return _claim(d, f"SELECT b.key FROM {d.rows('batch', {'key': 'bigint'})}")


def _claim(d: Dialect, chosen: str) -> str:
    """Take steps under a lease, unless this worker was drained or the queue is paused. A step that resumes after a wait goes on with
    its attempt; any other begins its next."""
    worker = d.param("worker", "text")
    now = d.param("now", "timestamptz")
    return f"""
        UPDATE {STEP} SET attempt = attempt + CASE WHEN status = 'PENDING' THEN 1 ELSE 0 END,
            started_at = COALESCE(started_at, {now}), claimed_at = CASE WHEN status = 'PENDING' THEN {now} ELSE claimed_at END,
            status = 'RUNNING', worker_id = {worker}, lease_expires_at = {d.param("lease", "timestamptz")},
            available_at = NULL, waits_for = NULL
        WHERE id {d.any_of(chosen)}
            AND NOT EXISTS (SELECT 1 FROM {WORKER} AS drained WHERE drained.id = {worker} AND drained.drain_requested_at IS NOT NULL)
            AND {UNPAUSED}
        RETURNING priority, id, executor, workflow_id, node_id, attempt, failures, crashes, {d.text("resume")}, {d.text("answer")},
            parent_id, {d.text("element")}, {d.text("claimed_at")},
            (SELECT w.metadata->>'{REVISION}' FROM {WORKFLOW} AS w WHERE w.id = workflow_id)"""


def limited_keys(d: Dialect) -> str:
    """Concurrency keys that a due step waits for and that have room: the key and how many live leases hold it. None while the queue
    is paused."""
    now = d.param("now", "timestamptz")
    return f"""
        SELECT due.name, due.held FROM (
            SELECT k.name, k.most,
                (SELECT COUNT(*) FROM {STEP} AS r WHERE r.concurrency_key = k.name AND r.lease_expires_at > {now}) AS held
            FROM (SELECT concurrency_key AS name, MAX(concurrency_limit) AS most FROM {STEP}
                WHERE concurrency_key IS NOT NULL AND available_at <= {now} GROUP BY concurrency_key) AS k) AS due
        WHERE due.held < due.most AND {UNPAUSED}"""


def due_of_key(d: Dialect) -> str:
    """Due steps of one concurrency key, the most urgent first: id, executor, limit. Their limits are for the caller to keep."""
    return f"""
        SELECT id, executor, concurrency_limit FROM {STEP}
        WHERE concurrency_key = {d.param("name")} AND available_at <= {d.param("now", "timestamptz")}
            AND concurrency_limit > {d.param("held")}
        ORDER BY priority, available_at, id LIMIT {d.param("most")} {d.skip_locked}"""


def hold_key(d: Dialect) -> str:
    """Let nobody else count the holders of this key until the transaction ends. PostgreSQL only: SQLite has one writer."""
    name = d.param("name", "text")
    return f"SELECT {name}" if d.is_sqlite else f"SELECT pg_advisory_xact_lock({KEY_LOCK}, hashtext({name}))"


def unclaim(d: Dialect) -> str:
    """Give back claims that were never begun, as if they had not been made."""
    return f"""
        UPDATE {STEP} AS s SET status = 'PENDING', attempt = s.attempt - 1,
            started_at = CASE WHEN s.attempt = 1 AND s.resume IS NULL THEN NULL ELSE s.started_at END,
            available_at = {d.param("now", "timestamptz")}, worker_id = '', lease_expires_at = NULL
        FROM {d.rows("batch", FENCE)} WHERE {mine(d)} RETURNING id"""


def note_progress(d: Dialect) -> str:
    return f"""
        UPDATE {STEP} AS s SET metadata = {d.json("b.metadata")}
        FROM {d.rows("batch", FENCE | {"metadata": "text"})} WHERE {mine(d)} RETURNING workflow_id"""


def extend_leases(d: Dialect) -> str:
    return f"""
        UPDATE {STEP} AS s SET lease_expires_at = {d.param("lease", "timestamptz")}
        FROM {d.rows("batch", FENCE)} WHERE {mine(d)} RETURNING id"""


def still_mine(d: Dialect) -> str:
    return f"SELECT s.id FROM {STEP} AS s JOIN {d.rows('batch', FENCE)} ON {mine(d)}"


def is_due(d: Dialect) -> str:
    found = f"SELECT id FROM ({_due(d)}) AS free UNION ALL SELECT held FROM ({limited_keys(d)}) AS limited"
    return f"SELECT 1 FROM ({found}) AS found WHERE {UNPAUSED} LIMIT 1"


def next_due(d: Dialect) -> str:
    """When the next timer ends, as text."""
    now = d.param("now", "timestamptz")
    soonest = " UNION ALL ".join(
        f"SELECT MIN(available_at) AS at FROM {STEP} WHERE executor = {executor} AND priority = {priority} AND available_at > {now}"
        " AND concurrency_key IS NULL"
        for executor in EXECUTORS
        for priority in PRIORITIES.values()
    )
    limited = f"SELECT MIN(available_at) AS at FROM {STEP} WHERE concurrency_key IS NOT NULL AND available_at > {now}"
    return f"SELECT {d.text('MIN(at)')} FROM ({soonest} UNION ALL {limited}) AS soonest"


def load_workflows(d: Dialect) -> str:
    return f"""
        SELECT w.id, {d.text("w.uid")}, w.name, w.definition_id, {d.text("w.params")}, {d.text("w.created_at")}, w.depth, w.chain_depth,
            w.root_id
        FROM {WORKFLOW} AS w JOIN {d.rows("batch", {"key": "bigint"})} ON w.id = b.key {d.among("w.id", "batch", "key")}"""


def load_outputs(d: Dialect) -> str:
    return f"""
        SELECT s.workflow_id, s.node_id, s.status, {d.text("s.output")}, s.error
        FROM {STEP} AS s JOIN {d.rows("batch", {"workflow_id": "bigint", "node_id": "text"})}
        ON s.workflow_id = b.workflow_id AND s.node_id = b.node_id
            {d.among("s.workflow_id", "batch", "workflow_id")} {d.among("s.node_id", "batch", "node_id", "text")}"""


def _due(d: Dialect, lock: str = "") -> str:
    """Ids of due steps, at most `slots_0` for the loop and `slots_1` for the thread, the most urgent first. One index seek per
    executor and priority: a thousand timers that are not due yet cost nothing."""
    now = d.param("now", "timestamptz")
    return " UNION ALL ".join(
        f"SELECT id FROM ({_due_of_executor(executor, now, d.param(f'slots_{executor}'), lock)}) AS e{executor}" for executor in EXECUTORS
    )


def _due_of_executor(executor: int, now: str, slots: str, lock: str) -> str:
    by_priority = " UNION ALL ".join(
        f"""SELECT id FROM (SELECT id FROM {STEP} WHERE executor = {executor} AND priority = {priority} AND available_at <= {now}
            AND concurrency_key IS NULL ORDER BY available_at LIMIT {slots} {lock}) AS p{priority}"""
        for priority in PRIORITIES.values()
    )
    return f"SELECT id FROM ({by_priority}) AS due LIMIT {slots}"
