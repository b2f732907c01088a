"""Statements that record: outcomes, fan-in, counters, history, log lines, new steps."""
# ruff: noqa: S608  the texts are constants of this module; every value travels as a parameter

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import ATTEMPT, FENCE, LOG_LINE, STEP, WORKFLOW, mine

CANCELLED = "cancelled"


def lock_workflows(d: Dialect) -> str:
    """Workflows before steps, in the order of their ids. PostgreSQL only: on SQLite the write lock is lock enough."""
    return f"""
        SELECT id FROM {WORKFLOW} WHERE {d.keys("id")} ORDER BY id {d.lock}"""


def show_free(d: Dialect) -> str:
    """`progress` without a change of counters, for those that nobody else holds: who holds steps already must not wait for a workflow.
    PostgreSQL only."""
    now = d.param("now", "timestamptz")
    free = f"SELECT id FROM {WORKFLOW} WHERE {d.keys('id')} ORDER BY id {d.skip_locked}"
    return f"""
        UPDATE {WORKFLOW} AS w SET seq = w.seq + 1, updated_at = {now}, started_at = COALESCE(w.started_at, {now}), status = 'RUNNING'
        WHERE w.ended_at IS NULL AND w.id {d.any_of(free)} RETURNING id"""


def finish(d: Dialect) -> str:
    """Write outcomes where the claim still holds; returns the ids of those steps."""
    columns = FENCE | {
        "status": "text", "output": "text", "error": "text", "metadata": "text", "resume": "text", "is_skipped": "boolean",
        "failed": "int", "crashed": "int", "available_at": "timestamptz", "ended_at": "timestamptz", "waits_for": "text",
        "answer": "text",
    }  # fmt: skip
    return f"""
        UPDATE {STEP} AS s SET status = b.status, output = {d.json("b.output")}, error = b.error, metadata = {d.json("b.metadata")},
            resume = {d.json("b.resume")}, is_skipped = b.is_skipped, failures = s.failures + b.failed, crashes = s.crashes + b.crashed,
            available_at = b.available_at, ended_at = b.ended_at, waits_for = b.waits_for, answer = {d.json("b.answer")},
            worker_id = '', lease_expires_at = NULL
        FROM {d.rows("batch", columns)} WHERE {mine(d)} RETURNING id"""


def count_down(d: Dialect) -> str:
    """Count ended dependencies of waiting steps; the last success makes a step ready in this same statement.
    Returns every waiting step that was counted, for its trigger rule to be decided."""
    columns = {"workflow_key": "bigint", "node_key": "text", "succeeded": "int", "failed": "int", "skipped": "int"}
    ended = "b.succeeded + b.failed + b.skipped"
    is_ready = f"s.remaining = {ended} AND s.failed_needs + b.failed = 0 AND s.skipped_needs + b.skipped = 0"
    return f"""
        UPDATE {STEP} AS s SET remaining = s.remaining - ({ended}), succeeded_needs = s.succeeded_needs + b.succeeded,
            failed_needs = s.failed_needs + b.failed, skipped_needs = s.skipped_needs + b.skipped,
            status = CASE WHEN {is_ready} THEN 'PENDING' ELSE s.status END,
            available_at = CASE WHEN {is_ready} THEN {d.param("now", "timestamptz")} END
        FROM {d.rows("batch", columns)}
        WHERE s.workflow_id = b.workflow_key AND s.node_id = b.node_key
            {d.among("s.workflow_id", "batch", "workflow_key")} {d.among("s.node_id", "batch", "node_key", "text")}
            AND s.status = 'WAITING_FOR_DEPENDENCY' AND s.remaining > 0
        RETURNING id, workflow_id, node_id, status, remaining, succeeded_needs, failed_needs, skipped_needs"""


def decide(d: Dialect) -> str:
    """Make ready, skip or block waiting steps as their trigger rules said."""
    columns = {"key": "bigint", "status": "text", "is_skipped": "boolean", "metadata": "text"}
    now = d.param("now", "timestamptz")
    return f"""
        UPDATE {STEP} AS s SET status = b.status, is_skipped = b.is_skipped, metadata = {d.json("b.metadata")}, remaining = 0,
            available_at = CASE WHEN b.status = 'PENDING' THEN {now} END, ended_at = CASE WHEN b.status = 'STOPPED' THEN {now} END
        FROM {d.rows("batch", columns)} WHERE s.id = b.key {d.among("s.id", "batch", "key")}
            AND s.status = 'WAITING_FOR_DEPENDENCY' RETURNING id"""


def reopen(d: Dialect) -> str:
    """Reset steps of a final workflow to where their dependencies leave them. What they kept of earlier attempts is emptied."""
    columns = {
        "key": "bigint", "status": "text", "remaining": "int", "succeeded": "int", "failed": "int", "skipped": "int",
        "is_skipped": "boolean", "metadata": "text",
    }  # fmt: skip
    now = d.param("now", "timestamptz")
    emptied = ("output", "resume", "answer", "waits_for", "started_at", "claimed_at")
    zeros = ("failures", "crashes", "open_elements")
    return f"""
        UPDATE {STEP} AS s SET status = b.status, remaining = b.remaining, succeeded_needs = b.succeeded, failed_needs = b.failed,
            skipped_needs = b.skipped, is_skipped = b.is_skipped, metadata = {d.json("b.metadata")}, error = '',
            available_at = CASE WHEN b.status = 'PENDING' THEN {now} END, ended_at = CASE WHEN b.status = 'STOPPED' THEN {now} END,
            {", ".join(f"{name} = NULL" for name in emptied)}, {", ".join(f"{name} = 0" for name in zeros)}
        FROM {d.rows("batch", columns)} WHERE s.id = b.key {d.among("s.id", "batch", "key")} RETURNING id"""


def progress(d: Dialect) -> str:
    """Raise `seq` and the counters; returns ids and how many steps are active. It leaves `ended_at` alone, so that no commit
    of a workflow that goes on has to write the index of those."""
    columns = {"key": "bigint", "done": "int", "failed": "int", "active": "int", "error": "text"}
    now = d.param("now", "timestamptz")
    return f"""
        UPDATE {WORKFLOW} AS w SET seq = w.seq + 1, updated_at = {now}, started_at = COALESCE(w.started_at, {now}), status = 'RUNNING',
            done_steps = w.done_steps + b.done, failed_steps = w.failed_steps + b.failed, active_steps = w.active_steps + b.active,
            error = CASE WHEN w.error = '' THEN b.error ELSE w.error END
        FROM {d.rows("batch", columns)}
        WHERE w.id = b.key AND w.ended_at IS NULL {d.among("w.id", "batch", "key")} RETURNING id, active_steps"""


def end(d: Dialect) -> str:
    """A workflow without an active step has ended: completed when every step is done. Returns the ids, and whose step waited for it."""
    return f"""
        UPDATE {WORKFLOW} AS w SET ended_at = {d.param("now", "timestamptz")},
            status = CASE WHEN w.done_steps = w.total_steps THEN 'COMPLETED' ELSE 'FAILED' END
        FROM {d.rows("batch", {"key": "bigint"})}
        WHERE w.id = b.key {d.among("w.id", "batch", "key")} AND w.ended_at IS NULL AND w.active_steps = 0
        RETURNING id, parent_step_id"""


def record_attempts(d: Dialect) -> str:
    columns = {
        "step_id": "bigint", "number": "int", "outcome": "text", "error": "text", "started_at": "timestamptz", "ended_at": "timestamptz",
    }  # fmt: skip
    return f"""
        INSERT INTO {ATTEMPT} (step_id, number, worker_id, outcome, error, started_at, ended_at)
        SELECT b.step_id, b.number, {d.param("worker", "text")}, b.outcome, b.error, b.started_at, b.ended_at
        FROM {d.rows("batch", columns)}"""


def recorded_attempts(d: Dialect) -> str:
    """Which of these claims have an entry already, made by this worker."""
    return f"""
        SELECT a.step_id FROM {ATTEMPT} AS a JOIN {d.rows("batch", FENCE)}
        ON a.step_id = b.key AND a.number = b.attempt {d.among("a.step_id", "batch", "key")}
        WHERE a.worker_id = {d.param("worker", "text")}"""


def note_late(d: Dialect) -> str:
    """Tell in the history of attempts that were taken back or stopped what their worker reported too late, and which of those taken
    back it cancelled; returns their steps and numbers."""
    return f"""
        UPDATE {ATTEMPT} AS a SET late_result = b.late_result FROM {d.rows("batch", FENCE | {"late_result": "text"})}
        WHERE a.step_id = b.key AND a.number = b.attempt AND a.worker_id = {d.param("worker", "text")} AND a.late_result = ''
            AND (b.late_result <> '{CANCELLED}' OR a.outcome = 'crashed') {d.among("a.step_id", "batch", "key")}
        RETURNING step_id, number"""


def add_log_lines(d: Dialect) -> str:
    """What a step says after its workflow was deleted is lost with it. `place` is the line's in the batch: a log is read in the order of
    its ids, and a join may return its rows in any other."""
    columns = {"place": "int", "step_id": "bigint", "attempt": "int", "at": "timestamptz", "level": "text", "message": "text"}
    return f"""
        INSERT INTO {LOG_LINE} (step_id, attempt, at, level, message)
        SELECT b.step_id, b.attempt, b.at, b.level, b.message FROM {d.rows("batch", columns)}
        WHERE EXISTS (SELECT 1 FROM {STEP} AS s WHERE s.id = b.step_id {d.among("s.id", "batch", "step_id")}) ORDER BY b.place"""


def add_workflows(d: Dialect) -> str:
    """Returns ids in no order, each with its `uid`."""
    columns = {
        "uid": "uuid", "name": "text", "description": "text", "tags": "text", "status": "text", "definition_id": "text",
        "template_version_id": "bigint", "params": "text", "parent_id": "bigint", "parent_step_id": "bigint", "root_id": "bigint",
        "depth": "int", "event_id": "bigint", "chain_depth": "int", "awaits_trigger": "boolean", "total_steps": "int",
        "active_steps": "int", "metadata": "text", "idempotency_key": "text", "idempotency_digest": "text",
        "schedule_id": "bigint", "started_by_id": "bigint",
    }  # fmt: skip
    json, now = ("tags", "params", "metadata"), d.param("now", "timestamptz")
    values = [d.json(f"b.{name}") if name in json else f"b.{name}" for name in columns]
    return f"""
        INSERT INTO {WORKFLOW} ({", ".join(columns)}, seq, done_steps, failed_steps, error, created_at, updated_at)
        SELECT {", ".join(values)}, 1, 0, 0, '', {now}, {now} FROM {d.rows("batch", columns)} RETURNING {d.text("uid")}, id"""


def add_steps(d: Dialect) -> str:
    columns = {
        "workflow_id": "bigint", "node_id": "text", "position": "int", "action": "text", "executor": "int", "priority": "int",
        "status": "text", "remaining": "int", "available_at": "timestamptz", "concurrency_key": "text", "concurrency_limit": "int",
    }  # fmt: skip
    fixed = {
        "succeeded_needs": "0", "failed_needs": "0", "skipped_needs": "0", "attempt": "0", "failures": "0", "crashes": "0",
        "open_elements": "0", "worker_id": "''", "is_skipped": "FALSE", "error": "''", "metadata": "'{}'",
    }  # fmt: skip
    values = [*(f"b.{name}" for name in columns), *fixed.values()]
    return f"""
        INSERT INTO {STEP} ({", ".join([*columns, *fixed])}) SELECT {", ".join(values)} FROM {d.rows("batch", columns)}"""
