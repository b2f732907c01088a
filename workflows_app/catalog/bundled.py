"""The templates that come with the product: loaded at start, updated until somebody edits them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from workflows_app.catalog.publish import publish
from workflows_app.models import Template

DIRECTORY = Path(__file__).parent / "bundled"
DEMO_SERVICE = "{{ engine.url }}/demo/"


def load(*, now: datetime) -> list[str]:
    """Publish what is new or changed; the slugs of those. What was edited, deleted or made by somebody is left alone.

    The demo service is there in local mode only, so templates that call it are too."""
    return [path.stem for path in sorted(DIRECTORY.glob("*.yaml")) if _load(path, now)]


def _load(path: Path, now: datetime) -> bool:
    source = path.read_text(encoding="utf-8")
    if DEMO_SERVICE in source and not settings.IS_LOCAL:
        return False
    known = Template.objects.select_related("current").filter(slug=path.stem).first()
    if known and (known.is_edited or known.deleted_at or not known.is_bundled):
        return False
    if known and known.current and known.current.source == source:
        return False
    publish(slug=path.stem, source=source, note="Comes with the product", now=now, is_bundled=True)
    return True
