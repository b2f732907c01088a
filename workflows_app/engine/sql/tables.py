"""Names that the engine's statements share."""

from workflows_app.engine.sql.dialect import Dialect

WORKFLOW, STEP, ATTEMPT, LOG_LINE, WORKER, PAUSE = (
    f"workflows_app_{name}" for name in ("workflow", "step", "attempt", "logline", "worker", "queuepause")
)
REVISION = "_paramsRevision"  # in a workflow's metadata: how often a retry has changed its parameters
REMOVED = "_beingRemoved"  # there too: retention is removing it bit by bit, so that nobody may begin it again
FENCE = {"key": "bigint", "attempt": "int"}


def mine(d: Dialect) -> str:
    """The fence: this claim of this worker, still running. Every write after a claim carries it."""
    worker = d.param("worker", "text")
    return f"s.id = b.key AND s.attempt = b.attempt AND s.worker_id = {worker} AND s.status = 'RUNNING' {d.among('s.id', 'batch', 'key')}"
