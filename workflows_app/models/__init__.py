"""Tables, constraints and query sets, by noun."""

from workflows_app.models.access import ApiToken, Secret
from workflows_app.models.catalog import Definition, Template, TemplateVersion
from workflows_app.models.dashboard import Layout, SavedView
from workflows_app.models.notifications import Notification, NotificationRead
from workflows_app.models.schedules import Schedule
from workflows_app.models.triggers import Event, EventSource, Subscription
from workflows_app.models.workers import BacklogSample, QueuePause, Repair, Worker
from workflows_app.models.workflows import Attempt, LogLine, Step, Workflow

__all__ = [
    "ApiToken",
    "Attempt",
    "BacklogSample",
    "Definition",
    "Event",
    "EventSource",
    "Layout",
    "LogLine",
    "Notification",
    "NotificationRead",
    "QueuePause",
    "Repair",
    "SavedView",
    "Schedule",
    "Secret",
    "Step",
    "Subscription",
    "Template",
    "TemplateVersion",
    "Worker",
    "Workflow",
]
