"""Worker processes: who may hold leases, when each was last heard of; the backlog over time; what the invariant sweep had to mend."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Worker(models.Model):
    """One worker process. The id is random per process, never a host name; `site` is the data
    directory it runs in, where its lock file tells processes beside it at once whether it lives. The processes of one
    `manage.py worker` or `up` share a `group`. One with `drain_requested_at` finishes what it runs and takes no more.
    `memory_bytes` is what it had resident at its last heartbeat."""

    id = models.CharField(primary_key=True, max_length=32)
    host = models.CharField(max_length=255)
    site = models.CharField(max_length=32)
    group = models.CharField(max_length=32, blank=True, default="", db_default="")
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    drain_requested_at = models.DateTimeField(null=True, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["started_at"]
        indexes = [models.Index(fields=["heartbeat_at"], condition=models.Q(stopped_at__isnull=True), name="worker_live")]

    def __str__(self) -> str:
        return f"{self.id[:8]} (pid {self.pid})"


class Repair(models.Model):
    """Something that should be impossible, found and mended by the invariant sweep: a sign of a bug or of hands in the database."""

    KINDS = [(name, name) for name in ("counters", "stalled_workflow", "lost_wake_up", "step_of_ended_workflow", "elements")]

    at = models.DateTimeField()
    kind = models.CharField(max_length=40, choices=KINDS)
    workflow = models.ForeignKey("Workflow", null=True, blank=True, on_delete=models.SET_NULL, related_name="repairs")
    detail = models.TextField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["at"], name="repair_by_time")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail[:80]}"


class QueuePause(models.Model):
    """The queue is paused while its one row is here: no worker claims a step; what runs goes on."""

    since = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="queue_paused_once")]

    def __str__(self) -> str:
        return f"paused since {self.since:%Y-%m-%d %H:%M}"


class BacklogSample(models.Model):
    """How long the queue was at a moment; taken while there is anything in it, kept for an hour."""

    at = models.DateTimeField()
    due = models.PositiveIntegerField()
    running = models.PositiveIntegerField()
    oldest_due_seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["at"], name="backlog_sample_by_time")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.due} due"
