"""Templates, their immutable versions, and the compiled definitions they share."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from workflows_app.graph import definition as graph


class Definition(models.Model):
    """A compiled graph, stored once per content. The key is the SHA-256 of its canonical JSON."""

    digest = models.CharField(primary_key=True, max_length=64)
    body = models.JSONField()
    node_count = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(node_count__gte=1), name="definition_has_nodes"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.node_count} nodes)"

    def compiled(self) -> graph.Definition:
        return graph.Definition.from_json(self.body)


class TemplateQuerySet(models.QuerySet["Template"]):
    def published(self) -> TemplateQuerySet:
        """Templates that can be started: they have a version and were not deleted."""
        return self.filter(current__isnull=False, deleted_at__isnull=True)

    def triggered(self) -> TemplateQuerySet:
        """Published ones that an event may start."""
        return self.published().filter(current__trigger__isnull=False)


class Template(models.Model):
    """What an editor authors. A deleted one keeps its row: workflows stay pinned to its versions."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    is_bundled = models.BooleanField(default=False, editable=False)
    is_edited = models.BooleanField(default=False, editable=False)
    current = models.ForeignKey("TemplateVersion", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class TemplateVersion(models.Model):
    """One immutable, numbered text of a template and what it compiled to. An event that satisfies `trigger` (JSONLogic) starts it;
    null: none does. Its ended workflows are kept for `retention_days` (null: RETENTION_DAYS; 0: for ever)."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    dialect = models.CharField(max_length=20, default="template")
    source = models.TextField()
    params_schema = models.JSONField(default=dict, blank=True)
    trigger = models.JSONField(null=True, blank=True)
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="template_version_number_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.template.slug} v{self.number}"
