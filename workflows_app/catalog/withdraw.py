"""Find a published template, and withdraw one."""

from __future__ import annotations

from datetime import datetime

from workflows_app.catalog.start import UnknownTemplate
from workflows_app.models import Template


def published(slug: str) -> Template:
    """The template with its current version and definition. Raises UnknownTemplate."""
    found = Template.objects.published().select_related("current__definition")
    template = found.filter(slug=slug).first() if slug.isprintable() else None
    if template is None:
        raise UnknownTemplate(slug)
    return template


def withdraw(*, slug: str, now: datetime) -> None:
    """Delete it for those who list and start templates. The row stays: workflows are pinned to its versions. Raises UnknownTemplate."""
    if not slug.isprintable() or not Template.objects.published().filter(slug=slug).update(deleted_at=now, updated_at=now):
        raise UnknownTemplate(slug)
