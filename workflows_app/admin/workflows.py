"""Workflows, steps, attempts and versions, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows_app.admin.read_only import ReadOnly
from workflows_app.graph.progress import progress
from workflows_app.models import Attempt, Step, TemplateVersion, Workflow


@admin.register(Workflow)
class WorkflowAdmin(ReadOnly):
    list_display = ("name", "uid", "status", "percent", "created_at", "updated_at")
    list_filter = ("status",)
    search_fields = ("name", "uid__startswith")
    ordering = ("-updated_at", "-id")

    @admin.display(description="progress")
    def percent(self, workflow: Workflow) -> str:
        return f"{progress(done=workflow.done_steps, total=workflow.total_steps)} %"


@admin.register(Step)
class StepAdmin(ReadOnly):
    list_display = ("node_id", "workflow", "action", "status", "attempt", "started_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("workflow",)
    search_fields = ("=node_id", "=workflow__uid")
    ordering = ("-workflow_id", "position")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        return super().get_queryset(request).defer("workflow__params", "workflow__metadata")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("step", "number", "outcome", "error_start", "started_at", "ended_at")
    list_filter = ("outcome",)
    list_select_related = ("step",)
    search_fields = ("=step__workflow__uid",)
    ordering = ("-id",)

    @admin.display(description="error")
    def error_start(self, attempt: Attempt) -> str:
        return attempt.error[:100]


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnly):
    list_display = ("template", "number", "dialect", "note", "created_at", "created_by")
    list_select_related = ("template", "created_by")
    search_fields = ("template__slug",)
    ordering = ("template__slug", "-number")
