"""The pages, by noun."""

from django.urls import path

from workflows_app.dashboard import templates, theme, workers, workflow_actions, workflows

app_name = "dashboard"
urlpatterns = [
    path("", workflows.home, name="home"),
    path("workflows", workflows.workflows, name="workflows"),
    path("workflows/<uuid:uid>", workflows.workflow, name="workflow"),
    path("workflows/<uuid:uid>/<str:verb>", workflow_actions.act, name="workflow-act"),
    path("templates", templates.templates, name="templates"),
    path("templates/<slug:slug>/start", templates.start, name="template-start"),
    path("workers", workers.workers, name="workers"),
    path("theme", theme.choose, name="theme"),
]
