"""The pages, by noun."""

from django.urls import path

from workflows_app.dashboard import approvals, events, notifications, palette, templates, theme, workers, workflow_actions, workflows

app_name = "dashboard"
urlpatterns = [
    path("", workflows.home, name="home"),
    path("workflows", workflows.workflows, name="workflows"),
    path("workflows/<uuid:uid>", workflows.workflow, name="workflow"),
    path("workflows/<uuid:uid>/trigger", workflows.trigger, name="workflow-trigger"),
    path("workflows/<uuid:uid>/<str:verb>", workflow_actions.act, name="workflow-act"),
    path("templates", templates.templates, name="templates"),
    path("templates/<slug:slug>/start", templates.start, name="template-start"),
    path("approvals", approvals.approvals, name="approvals"),
    path("approvals/<uuid:uid>/<path:step_id>", approvals.approval, name="approval"),
    path("events", events.events, name="events"),
    path("events/<uuid:uid>", events.event, name="event"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/read-all", notifications.read_all, name="notifications-read-all"),
    path("notifications/<uuid:uid>/read", notifications.read, name="notification-read"),
    path("workers", workers.workers, name="workers"),
    path("palette", palette.palette, name="palette"),
    path("theme", theme.choose, name="theme"),
]
