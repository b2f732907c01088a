"""Worker processes: who may hold leases, and when each was last heard of."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """One worker process. The id is random per process, never a host name; `site` is the data
    directory it runs in, where its lock file tells processes beside it at once whether it lives."""

    id = models.CharField(primary_key=True, max_length=32)
    host = models.CharField(max_length=255)
    site = models.CharField(max_length=32)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at"]
        indexes = [models.Index(fields=["heartbeat_at"], condition=models.Q(stopped_at__isnull=True), name="worker_live")]

    def __str__(self) -> str:
        return f"{self.id[:8]} (pid {self.pid})"
