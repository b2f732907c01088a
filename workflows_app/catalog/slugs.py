"""Slugs made from names."""

from __future__ import annotations

from itertools import count

from django.utils.text import slugify

from workflows_app.catalog.publish import RESERVED_SLUGS
from workflows_app.models import Template

MAX_BASE = 90
WITHOUT_LETTERS = "workflow"


def slug_from(name: str) -> str:
    """`Hot lead` as `hot-lead`; a name without Latin letters or digits gives `workflow`."""
    return slugify(name)[:MAX_BASE].strip("-_") or WITHOUT_LETTERS


def free_slug(name: str) -> str:
    """The slug of a name, with the first number that no template has or had: `hot-lead`, `hot-lead-2`."""
    base = slug_from(name)
    taken = set(Template.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | RESERVED_SLUGS
    if base not in taken:
        return base
    return next(slug for number in count(2) if (slug := f"{base}-{number}") not in taken)
