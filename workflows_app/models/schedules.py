"""Schedules: templates that are started by the clock."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from workflows_app.models.catalog import Template


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def active(self) -> ScheduleQuerySet:
        return self.filter(next_at__isnull=False)

    def due(self, now) -> ScheduleQuerySet:  # type: ignore[no-untyped-def]
        """Those whose time has come."""
        return self.filter(next_at__lte=now)


class Schedule(models.Model):
    """Starts a template whenever `cron` says, in `timezone` (IANA name). `next_at` is when next; null: paused.

    `overlap` says what becomes of a fire while the workflow of the one before still runs; `catch_up` what becomes of fires that
    nobody was there for: the latest of them is started once, or none. `last_error` tells why the last fire started nothing.
    """

    ALLOW, SKIP = "allow", "skip"
    LATEST, NONE = "latest", "none"
    OVERLAPS = [(name, name) for name in (ALLOW, SKIP)]
    CATCH_UPS = [(name, name) for name in (LATEST, NONE)]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100)
    cron = models.CharField(max_length=100)
    timezone = models.CharField(max_length=60, default="UTC")
    params = models.JSONField(default=dict, blank=True)
    overlap = models.CharField(max_length=8, choices=OVERLAPS, default=ALLOW)
    catch_up = models.CharField(max_length=8, choices=CATCH_UPS, default=LATEST)
    next_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    last_workflow = models.ForeignKey("Workflow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    last_error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="schedule_name_once"),
            models.CheckConstraint(condition=Q(overlap__in=["allow", "skip"]), name="schedule_overlap_known"),
            models.CheckConstraint(condition=Q(catch_up__in=["latest", "none"]), name="schedule_catch_up_known"),
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="schedule_by_next")]

    def __str__(self) -> str:
        return self.name
