"""Notifications for people, and who has read them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from workflows_app.models.workflows import Workflow


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> NotificationQuerySet:
        """Addressed to this user, to a role (a group) of theirs, to a channel or to everybody. A superuser sees all."""
        if user.is_superuser:
            return self.all()
        mine = Q(user=user) | Q(user__isnull=True, role="") | Q(user__isnull=True, role__in=user.groups.values("name"))
        return self.filter(mine)

    def unread_by(self, user: User) -> NotificationQuerySet:
        return self.visible_to(user).exclude(reads__user=user)


class Notification(models.Model):
    """What a workflow wanted people to know. At most one of `user`, `role` and `channel` is set; none of them: everybody."""

    LEVELS = [(name, name) for name in ("info", "success", "warning", "error")]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True, default="")
    level = models.CharField(max_length=8, choices=LEVELS, default="info")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications")
    role = models.CharField(max_length=150, blank=True, default="")
    channel = models.CharField(max_length=100, blank=True, default="")
    workflow = models.ForeignKey(Workflow, null=True, blank=True, on_delete=models.SET_NULL, related_name="notifications")
    node_id = models.CharField(max_length=220, blank=True, default="")
    created_at = models.DateTimeField()

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class NotificationRead(models.Model):
    """One user has read one notification."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="reads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "user"], name="notification_read_once")]

    def __str__(self) -> str:
        return f"{self.notification_id} read"
