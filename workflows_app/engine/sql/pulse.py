"""One statement that tells whether anything that pages show may have changed."""
# ruff: noqa: S608  the text is a constant of this module and takes no parameters

from __future__ import annotations

from workflows_app.engine.sql.dialect import Dialect
from workflows_app.engine.sql.tables import LOG_LINE, PAUSE, STEP, WORKER, WORKFLOW

EVENT, NOTIFICATION, READ, SAMPLE, SCHEDULE, VIEW = (
    f"workflows_app_{name}" for name in ("event", "notification", "notificationread", "backlogsample", "schedule", "savedview")
)


def pulse(d: Dialect) -> str:
    """One row; each column is the end of an index, or counts what a partial index holds; of schedules and views there are few."""
    newest = f"FROM {WORKFLOW} AS w ORDER BY w.updated_at DESC, w.id DESC LIMIT 1"  # else PostgreSQL sorts by the text
    asked = f"FROM {STEP} WHERE waits_for = 'approval'"
    columns = {
        "newest_at": f"SELECT {d.text('w.updated_at')} {newest}",
        "newest_id": f"SELECT w.id {newest}",
        "active": f"SELECT COUNT(*) FROM {WORKFLOW} WHERE ended_at IS NULL",
        "active_seq": f"SELECT SUM(seq) FROM {WORKFLOW} WHERE ended_at IS NULL",
        "notified": f"SELECT MAX(id) FROM {NOTIFICATION}",
        "read": f"SELECT MAX(id) FROM {READ}",
        "asked": f"SELECT COUNT(*) {asked}",
        "asked_keys": f"SELECT SUM(id) {asked}",
        "asked_tries": f"SELECT SUM(attempt) {asked}",
        "heartbeat_at": f"SELECT {d.text('MAX(heartbeat_at)')} FROM {WORKER} WHERE stopped_at IS NULL",
        "drained": f"SELECT COUNT(drain_requested_at) FROM {WORKER} WHERE stopped_at IS NULL",
        "paused_at": f"SELECT {d.text('MAX(since)')} FROM {PAUSE}",
        "sample": f"SELECT MAX(id) FROM {SAMPLE}",
        "event": f"SELECT MAX(id) FROM {EVENT}",
        "undelivered": f"SELECT COUNT(*) FROM {EVENT} WHERE NOT is_delivered",
        "fired_at": f"SELECT {d.text('MAX(last_at)')} FROM {SCHEDULE}",
        "rescheduled_at": f"SELECT {d.text('MAX(updated_at)')} FROM {SCHEDULE}",
        "schedules": f"SELECT COUNT(*) FROM {SCHEDULE}",
        "views": f"SELECT COUNT(*) FROM {VIEW}",
        "newest_view": f"SELECT MAX(id) FROM {VIEW}",
        "shared_views": f"SELECT COUNT(*) FROM {VIEW} WHERE is_shared",
    }
    return "SELECT " + ", ".join(f"({query}) AS {name}" for name, query in columns.items())


def glance(d: Dialect) -> str:
    """Of one workflow: its `seq` and status, and the last log line of one of its steps, 0 without one."""
    step = f"SELECT s.id FROM {STEP} AS s WHERE s.workflow_id = w.id AND s.node_id = {d.param('node', 'text')}"
    line = f"SELECT MAX(l.id) FROM {LOG_LINE} AS l WHERE l.step_id {d.any_of(step)}"
    return f"SELECT w.seq, w.status, COALESCE(({line}), 0) FROM {WORKFLOW} AS w WHERE w.uid = {d.param('uid', 'uuid')}"
