"""Tables, constraints and query sets, by noun."""

from workflows_app.models.access import ApiToken
from workflows_app.models.catalog import Definition, Template, TemplateVersion
from workflows_app.models.workers import Worker
from workflows_app.models.workflows import Attempt, LogLine, Step, Workflow

__all__ = ["ApiToken", "Attempt", "Definition", "LogLine", "Step", "Template", "TemplateVersion", "Worker", "Workflow"]
