"""The engine's statements: constant text, whatever the size of the batch (DESIGN.md section 2)."""

from __future__ import annotations

from functools import lru_cache

from workflows_app.graph.definition import PRIORITIES
from workflows_app.engine.sql.dialect import POSTGRESQL, SQLITE, Dialect

WORKFLOW, STEP, ATTEMPT, LOG_LINE = (f"workflows_app_{name}" for name in ("workflow", "step", "attempt", "logline"))
EXECUTORS = (0, 1)
CLAIM_COLUMNS = "id, workflow_id, node_id, attempt, failures, crashes"


class Statements:
    """Every statement for one database. Batches travel as JSON in `:batch` and are read as `b`, whose names for keys differ
    from the tables': in RETURNING, SQLite knows no qualified names and PostgreSQL no ambiguous ones."""

    def __init__(self, d: Dialect) -> None:
        self.dialect = d
        now, worker = d.param("now", "timestamptz"), d.param("worker", "text")

        self.lock_workflows = f"""
            SELECT id FROM {WORKFLOW} WHERE id IN (SELECT b.key FROM {d.rows("batch", {"key": "bigint"})})
            ORDER BY id {"" if d.is_sqlite else "FOR UPDATE"}"""  # noqa: S608

        finish = {
            "key": "bigint", "attempt": "int", "status": "text", "output": "text", "error": "text", "metadata": "text",
            "resume": "text", "is_skipped": "boolean", "failed": "int", "crashed": "int", "available_at": "timestamptz", "ended_at": "timestamptz",
        }  # fmt: skip
        self.finish = f"""
            UPDATE {STEP} AS s SET status = b.status, output = {d.json("b.output")}, error = b.error, metadata = {d.json("b.metadata")},
                resume = {d.json("b.resume")}, is_skipped = b.is_skipped, failures = s.failures + b.failed,
                crashes = s.crashes + b.crashed, available_at = b.available_at, ended_at = b.ended_at, worker_id = '', lease_expires_at = NULL
            FROM {d.rows("batch", finish)}
            WHERE s.id = b.key AND s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING' RETURNING id"""  # noqa: S608

        needs = {"workflow_key": "bigint", "node_key": "text", "succeeded": "int", "failed": "int", "skipped": "int"}
        ready = (
            "s.remaining = b.succeeded + b.failed + b.skipped AND s.failed_needs + b.failed = 0 AND s.skipped_needs + b.skipped = 0"
        )
        self.count_down = f"""
            UPDATE {STEP} AS s SET remaining = s.remaining - b.succeeded - b.failed - b.skipped,
                succeeded_needs = s.succeeded_needs + b.succeeded, failed_needs = s.failed_needs + b.failed,
                skipped_needs = s.skipped_needs + b.skipped,
                status = CASE WHEN {ready} THEN 'PENDING' ELSE s.status END, available_at = CASE WHEN {ready} THEN {now} END
            FROM {d.rows("batch", needs)}
            WHERE s.workflow_id = b.workflow_key AND s.node_id = b.node_key AND s.status = 'WAITING_FOR_DEPENDENCY' AND s.remaining > 0
            RETURNING id, workflow_id, node_id, status, remaining, succeeded_needs, failed_needs, skipped_needs"""  # noqa: S608

        decided = {"key": "bigint", "status": "text", "is_skipped": "boolean", "metadata": "text"}
        self.decide = f"""
            UPDATE {STEP} AS s SET status = b.status, is_skipped = b.is_skipped, metadata = {d.json("b.metadata")},
                remaining = 0, available_at = CASE WHEN b.status = 'PENDING' THEN {now} END, ended_at = CASE WHEN b.status = 'STOPPED' THEN {now} END
            FROM {d.rows("batch", decided)} WHERE s.id = b.key AND s.status = 'WAITING_FOR_DEPENDENCY' RETURNING id"""  # noqa: S608

        counters = {"key": "bigint", "done": "int", "failed": "int", "active": "int", "error": "text"}
        self.progress = f"""
            UPDATE {WORKFLOW} AS w SET seq = w.seq + 1, updated_at = {now}, started_at = COALESCE(w.started_at, {now}),
                done_steps = w.done_steps + b.done, failed_steps = w.failed_steps + b.failed, active_steps = w.active_steps + b.active,
                status = CASE WHEN w.active_steps + b.active > 0 THEN 'RUNNING'
                    WHEN w.done_steps + b.done = w.total_steps THEN 'COMPLETED' ELSE 'FAILED' END,
                ended_at = CASE WHEN w.active_steps + b.active = 0 THEN {now} END,
                error = CASE WHEN w.error = '' THEN b.error ELSE w.error END
            FROM {d.rows("batch", counters)}
            WHERE w.id = b.key AND w.ended_at IS NULL RETURNING id, status"""  # noqa: S608

        self.record_attempts = f"""
            INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
            SELECT b.step_id, b.number, {worker}, b.outcome, b.error, b.started_at, b.ended_at FROM {
            d.rows("batch", {"step_id": "bigint", "number": "int", "outcome": "text", "error": "text",
                             "started_at": "timestamptz", "ended_at": "timestamptz"})}"""  # noqa: S608  # fmt: skip

        self.recorded_attempts = f"""
            SELECT a.step_id FROM {ATTEMPT} AS a JOIN {d.rows("batch", {"key": "bigint", "attempt": "int"})}
            ON a.step_id = b.key AND a.number = b.attempt WHERE a.worker_id = {worker}"""  # noqa: S608

        line = {"step_id": "bigint", "attempt": "int", "at": "timestamptz", "level": "text", "message": "text"}
        self.add_log_lines = f"""
            INSERT INTO {LOG_LINE} (step_id, attempt, at, level, message)
            SELECT b.step_id, b.attempt, b.at, b.level, b.message FROM {d.rows("batch", line)}"""  # noqa: S608

        self.claim = f"""
            UPDATE {STEP} SET attempt = attempt + CASE WHEN status = 'PENDING' THEN 1 ELSE 0 END,
                started_at = COALESCE(started_at, {now}), claimed_at = CASE WHEN status = 'PENDING' THEN {now} ELSE claimed_at END,
                status = 'RUNNING', worker_id = {worker}, lease_expires_at = {d.param("lease", "timestamptz")}, available_at = NULL
            WHERE id IN ({_due(d, d.skip_locked)})
            RETURNING {CLAIM_COLUMNS}, {d.text("resume")}, {d.text("claimed_at")}"""  # noqa: S608

        self.unclaim = f"""
            UPDATE {STEP} AS s SET status = 'PENDING', attempt = s.attempt - 1, available_at = {now}, worker_id = '', lease_expires_at = NULL
            FROM {d.rows("batch", {"key": "bigint", "attempt": "int"})}
            WHERE s.id = b.key AND s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING' RETURNING id"""  # noqa: S608

        self.note_progress = f"""
            UPDATE {STEP} AS s SET metadata = {d.json("b.metadata")}
            FROM {d.rows("batch", {"key": "bigint", "attempt": "int", "metadata": "text"})}
            WHERE s.id = b.key AND s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING' RETURNING workflow_id"""  # noqa: S608

        self.extend_leases = f"""
            UPDATE {STEP} AS s SET lease_expires_at = {d.param("lease", "timestamptz")}
            FROM {d.rows("batch", {"key": "bigint", "attempt": "int"})}
            WHERE s.id = b.key AND s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING' RETURNING id"""  # noqa: S608

        self.still_mine = f"""
            SELECT s.id FROM {STEP} AS s JOIN {d.rows("batch", {"key": "bigint", "attempt": "int"})} ON s.id = b.key
            WHERE s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING'"""  # noqa: S608

        self.is_due = f"SELECT 1 FROM ({_due(d)}) AS due LIMIT 1"  # noqa: S608
        soonest = " UNION ALL ".join(
            f"SELECT MIN(available_at) AS at FROM {STEP} WHERE executor = {executor} AND priority = {priority} AND available_at > {now}"  # noqa: S608
            for executor in EXECUTORS
            for priority in PRIORITIES.values()
        )
        self.next_due = f"SELECT {d.text('MIN(at)')} FROM ({soonest}) AS soonest"  # noqa: S608

        self.load_workflows = f"""
            SELECT w.id, {d.text("w.uid")}, w.name, w.definition_id, {d.text("w.params")}
            FROM {WORKFLOW} AS w JOIN {d.rows("batch", {"key": "bigint"})} ON w.id = b.key"""  # noqa: S608

        self.load_outputs = f"""
            SELECT s.workflow_id, s.node_id, s.status, {d.text("s.output")}, s.error
            FROM {STEP} AS s JOIN {d.rows("batch", {"workflow_id": "bigint", "node_id": "text"})}
            ON s.workflow_id = b.workflow_id AND s.node_id = b.node_id"""  # noqa: S608

        step = {
            "workflow_id": "bigint", "node_id": "text", "position": "int", "action": "text", "executor": "int", "priority": "int",
            "status": "text", "remaining": "int", "available_at": "timestamptz",
        }  # fmt: skip
        fixed = {
            "succeeded_needs": "0", "failed_needs": "0", "skipped_needs": "0", "attempt": "0", "failures": "0", "crashes": "0",
            "worker_id": "''", "is_skipped": "FALSE", "error": "''", "metadata": "'{}'",
        }  # fmt: skip
        self.add_steps = f"""
            INSERT INTO {STEP} ({", ".join([*step, *fixed])})
            SELECT {", ".join([f"b.{name}" for name in step] + list(fixed.values()))} FROM {d.rows("batch", step)}"""  # noqa: S608


def _due(d: Dialect, lock: str = "") -> str:
    """Ids of due steps, at most `slots_0` for the loop and `slots_1` for the thread, the most urgent first. One index seek per
    executor and priority: a thousand timers that are not due yet cost nothing."""
    now = d.param("now", "timestamptz")
    return " UNION ALL ".join(
        f"SELECT id FROM ({_due_of_executor(executor, now, d.param(f'slots_{executor}'), lock)}) AS e{executor}"  # noqa: S608
        for executor in EXECUTORS
    )


def _due_of_executor(executor: int, now: str, slots: str, lock: str) -> str:
    by_priority = " UNION ALL ".join(
        f"""SELECT id FROM (SELECT id FROM {STEP} WHERE executor = {executor} AND priority = {priority} AND available_at <= {now}
            ORDER BY available_at LIMIT {slots} {lock}) AS p{priority}"""  # noqa: S608
        for priority in PRIORITIES.values()
    )
    return f"SELECT id FROM ({by_priority}) AS due LIMIT {slots}"  # noqa: S608


@lru_cache(maxsize=2)
def for_vendor(vendor: str) -> Statements:
    """The statements of `sqlite` or `postgresql`."""
    return Statements(SQLITE if vendor == "sqlite" else POSTGRESQL)
