"""API tokens: who may call from a program; secrets that steps may use."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from workflows_app.models.fields import EncryptedText


class ApiToken(models.Model):
    """A token acts as its user. Only the SHA-256 of it is stored; `prefix` lets people tell tokens apart."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Secret(models.Model):
    """A value that steps read as `secrets.NAME`: encrypted here, shown nowhere."""

    name = models.CharField(max_length=100, unique=True)
    value = EncryptedText()
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
