"""Schedules, to look at: they are made and changed on their own pages."""

from django.contrib import admin

from workflows_app.admin.read_only import ReadOnly
from workflows_app.models import Schedule


@admin.register(Schedule)
class ScheduleAdmin(ReadOnly):
    list_display = ("name", "template", "cron", "timezone", "next_at", "last_at", "last_error")
    list_select_related = ("template",)
    search_fields = ("name", "template__slug")
    ordering = ("name",)
