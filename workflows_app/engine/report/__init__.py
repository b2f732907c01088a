"""What the doors show: workflows, steps, logs, backlog, workers and health as plain JSON (CONTRACT.md section 3)."""

from workflows_app.engine.report.elements import ElementPage, elements
from workflows_app.engine.report.health import health
from workflows_app.engine.report.logs import log_lines
from workflows_app.engine.report.queue import queue
from workflows_app.engine.report.search import BadCursor, Filters, Page, search, search_rows
from workflows_app.engine.report.stats import stats
from workflows_app.engine.report.steps import step
from workflows_app.engine.report.workers import workers
from workflows_app.engine.report.workflows import workflow, workflows

__all__ = [
    "BadCursor",
    "ElementPage",
    "Filters",
    "Page",
    "elements",
    "health",
    "log_lines",
    "queue",
    "search",
    "search_rows",
    "stats",
    "step",
    "workers",
    "workflow",
    "workflows",
]
