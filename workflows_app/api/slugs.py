"""Slugs as they come in an address or a body."""

from __future__ import annotations

from workflows_app.catalog.publish import SLUG
from workflows_app.catalog.templates import UnknownTemplate


def slug_of(text: str) -> str:
    """Raises UnknownTemplate for what cannot be a slug, before a database sees it."""
    if not SLUG.fullmatch(text):
        raise UnknownTemplate(text[:100])
    return text
