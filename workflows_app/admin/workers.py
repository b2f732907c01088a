"""Worker processes, to look at."""

from django.contrib import admin

from workflows_app.admin.read_only import ReadOnly
from workflows_app.models import Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("id", "host", "pid", "version", "started_at", "heartbeat_at", "stopped_at")
    ordering = ("-started_at",)
