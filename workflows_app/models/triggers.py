"""Events: what came in from outside, who may send it signed, and which steps wait for one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from workflows_app.models.fields import EncryptedText, RowId
from workflows_app.models.workflows import Step


class EventQuerySet(models.QuerySet["Event"]):
    def newest_first(self) -> EventQuerySet:
        return self.order_by("-id")

    def undelivered(self) -> EventQuerySet:
        """Not offered yet to all the steps that waited when they came in."""
        return self.filter(is_delivered=False)


class Event(models.Model):
    """One JSON document from outside. `matches` says of each template looked at whether it started, and why not:
    `[{"template", "version", "matched", "reason", "workflowId"}]`; `deliveries` which waiting steps took it:
    `[{"workflowId", "stepId"}]`. `chain_depth` counts the events that led to it, one causing the next."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=100, blank=True, default="")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    idempotency_digest = models.CharField(max_length=64, blank=True, default="")
    payload = models.JSONField()
    chain_depth = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    matches = models.JSONField(default=list, blank=True)
    deliveries = models.JSONField(default=list, blank=True)
    is_delivered = models.BooleanField(default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "idempotency_key"], condition=Q(idempotency_key__isnull=False), name="event_idempotency_key_once"
            ),
        ]
        indexes = [
            models.Index(fields=["received_at"], name="event_by_time"),
            models.Index(fields=["id"], condition=Q(is_delivered=False), name="event_undelivered"),
        ]

    def __str__(self) -> str:
        return f"{self.source or 'event'} {self.uid}"


class EventSource(models.Model):
    """A sender whose webhooks are signed with a secret of its own (docs/events.md)."""

    name = models.SlugField(max_length=100, unique=True)
    signing_secret = EncryptedText()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A step that waits for an event; good while the step waits with this attempt. With a `path` the payload must hold there
    the value whose SHA-256 (of its canonical JSON) is `value_digest`."""

    id = RowId(primary_key=True)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="subscriptions")
    attempt = models.PositiveIntegerField()
    source = models.CharField(max_length=100, blank=True, default="")
    path = models.CharField(max_length=200, blank=True, default="")
    value_digest = models.CharField(max_length=64, blank=True, default="")
    condition = models.JSONField(null=True, blank=True)
    since = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["path", "value_digest"], name="subscription_by_value"),
            models.Index(fields=["created_at"], name="subscription_by_time"),
        ]

    def __str__(self) -> str:
        return f"step {self.step_id} waits for {self.path or 'any event'}"
