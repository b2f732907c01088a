"""The Django application."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows_app"
    verbose_name = "Hybrid Engine"
    default_auto_field = "django.db.models.BigAutoField"
