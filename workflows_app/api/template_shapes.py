"""Templates and versions as JSON."""

from __future__ import annotations

from typing import Any

from workflows_app.dialects.params_schema import as_written
from workflows_app.engine.report.times import iso
from workflows_app.models import Template, TemplateVersion


def template_json(template: Template) -> dict[str, Any]:
    """A published template with its current version, which must be there."""
    version = _current(template)
    return {
        "id": template.slug,
        "name": template.name,
        "description": template.description,
        "tags": template.tags,
        "version": version.number,
        "dialect": version.dialect,
        "paramsSchema": as_written(version.params_schema),
        "retentionDays": version.retention_days,
        "isBundled": template.is_bundled,
        "isEdited": template.is_edited,
        "createdAt": iso(template.created_at),
        "updatedAt": iso(template.updated_at),
    }


def template_detail_json(template: Template) -> dict[str, Any]:
    version = _current(template)
    nodes = version.definition.compiled().nodes
    steps = [{"id": n.id, "name": n.name or n.id, "action": n.action, "dependencies": list(n.needs)} for n in nodes]
    return {**template_json(template), "source": version.source, "steps": steps}


def version_json(version: TemplateVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "dialect": version.dialect,
        "source": version.source,
        "note": version.note,
        "createdAt": iso(version.created_at),
        "createdBy": version.created_by.get_username() if version.created_by else None,
    }


def _current(template: Template) -> TemplateVersion:
    if template.current is None:
        raise ValueError(f"Template {template.slug} was never published")
    return template.current
