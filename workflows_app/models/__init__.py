"""Tables, constraints and query sets, by noun."""

from workflows_app.models.access import ApiToken, Secret
from workflows_app.models.catalog import Definition, Template, TemplateVersion
from workflows_app.models.notifications import Notification, NotificationRead
from workflows_app.models.triggers import Event, EventSource, Subscription
from workflows_app.models.workers import Repair, Worker
from workflows_app.models.workflows import Attempt, LogLine, Step, Workflow

__all__ = [
    "ApiToken",
    "Attempt",
    "Definition",
    "Event",
    "EventSource",
    "LogLine",
    "Notification",
    "NotificationRead",
    "Repair",
    "Secret",
    "Step",
    "Subscription",
    "Template",
    "TemplateVersion",
    "Worker",
    "Workflow",
]
