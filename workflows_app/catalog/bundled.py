"""The templates that come with the product: loaded at start, updated until somebody edits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from workflows_app.catalog.publish import publish
from workflows_app.models import Template

DIRECTORY = Path(__file__).parent / "bundled"
DEMO_SERVICE = "{{ engine.url }}/demo/"


@dataclass(frozen=True, slots=True)
class Bundled:
    """One file: `<slug>.yaml` in the template dialect, `<slug>.<dialect>.json` in another."""

    slug: str
    dialect: str
    source: str


def files() -> Iterator[Bundled]:
    """What comes with the product, in the order of the slugs."""
    for path in sorted([*DIRECTORY.glob("*.yaml"), *DIRECTORY.glob("*.*.json")]):
        slug, _, dialect = path.stem.partition(".")
        yield Bundled(slug, dialect or "template", path.read_text(encoding="utf-8"))


def load(*, now: datetime) -> list[str]:
    """Publish what is new or changed; the slugs of those. What was edited, deleted or made by somebody is left alone.

    The demo service is there in local mode only, so templates that call it are too."""
    return [file.slug for file in files() if _load(file, now)]


def _load(file: Bundled, now: datetime) -> bool:
    if DEMO_SERVICE in file.source and not settings.IS_LOCAL:
        return False
    known = Template.objects.select_related("current").filter(slug=file.slug).first()
    if known and (known.is_edited or known.deleted_at or not known.is_bundled):
        return False
    if known and known.current and known.current.source == file.source:
        return False
    note = "Comes with the product"
    publish(slug=file.slug, source=file.source, dialect=file.dialect, note=note, now=now, is_bundled=True)
    return True
