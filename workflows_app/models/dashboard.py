"""What the pages keep: views that somebody saved, and how definitions are drawn."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from workflows_app.models.catalog import Definition


class SavedView(models.Model):
    """A named URL of the workflow list: `query` is its query string. A shared one is seen by everybody, changed by its owner."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2_000, blank=True, default="")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name_once_per_owner")]

    def __str__(self) -> str:
        return self.name


class Layout(models.Model):
    """Where the nodes and edges of a definition are drawn, kept because it is costly to find; `variant` names direction, what is
    collapsed, and the release of the layout's own code. May be deleted at any time: it is made again."""

    definition = models.ForeignKey(Definition, on_delete=models.CASCADE, related_name="layouts")
    variant = models.CharField(max_length=100)
    body = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["definition", "variant"], name="layout_once_per_variant")]

    def __str__(self) -> str:
        return f"{self.definition_id[:12]} {self.variant}"
