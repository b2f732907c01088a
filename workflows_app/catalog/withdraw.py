"""Withdrawing a template: nobody lists or starts it any more."""

from __future__ import annotations

from datetime import datetime

from workflows_app.catalog.templates import UnknownTemplate
from workflows_app.models import Template


def withdraw(*, slug: str, now: datetime) -> None:
    """The row stays, for workflows are pinned to its versions; publishing the slug again brings it back. Raises UnknownTemplate."""
    if not Template.objects.published().filter(slug=slug).update(deleted_at=now, updated_at=now):
        raise UnknownTemplate(slug)
