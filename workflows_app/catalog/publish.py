"""Publishing: a text becomes the next immutable version of a template."""

from __future__ import annotations

import re
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from workflows_app.catalog.validate import validate
from workflows_app.dialects.compiled import Compiled
from workflows_app.engine import definitions
from workflows_app.models import Template, TemplateVersion

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
RESERVED_SLUGS = frozenset({"import"})


class InvalidSlug(ValueError):
    """A slug has characters that an address cannot hold, or is an address already."""

    def __init__(self, slug: str) -> None:
        wanted = "use 1 to 100 letters, digits, - and _, with a letter or digit first"
        why = "its address is used for something else" if slug in RESERVED_SLUGS else wanted
        super().__init__(f"the slug {slug[:120]!r} is not allowed: {why}")


class SlugTaken(ValueError):
    """A new template wants the slug of another."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"there is already a template '{slug}': publish a new version of it, or choose another slug")


class VersionConflict(ValueError):
    """Somebody else published in between."""

    def __init__(self, slug: str, *, expected: int, current: int) -> None:
        super().__init__(f"template '{slug}' is at version {current} by now, not {expected}: look at it and publish again")


def create(
    *, slug: str, source: str, dialect: str = "template", note: str = "", by: AbstractBaseUser | None = None, now: datetime
) -> TemplateVersion:
    """The first version of a new template. Raises SlugTaken and what `publish` raises."""
    return publish(slug=slug, source=source, dialect=dialect, note=note, by=by, now=now, expect_version=0)


def publish(
    *,
    slug: str,
    source: str,
    dialect: str = "template",
    note: str = "",
    by: AbstractBaseUser | None = None,
    now: datetime,
    expect_version: int | None = None,
    is_bundled: bool = False,
) -> TemplateVersion:
    """The next version, of a new template if there is none with that slug; a deleted one comes back.

    `expect_version` is the number the author saw (0: none). Raises DefinitionError, InvalidSlug, SlugTaken, VersionConflict.
    """
    if slug in RESERVED_SLUGS or not SLUG.fullmatch(slug):
        raise InvalidSlug(slug)
    compiled = validate(source, dialect)
    with transaction.atomic():
        template = _locked(slug, now)
        _expect(template, expect_version)
        version = _add_version(template, compiled, source=source, dialect=dialect, note=note, by=by, now=now)
        _describe(template, compiled, version, now=now, is_bundled=is_bundled)
    version.template = _reread(slug)
    return version


def _locked(slug: str, now: datetime) -> Template:
    """The template's row, held until the transaction ends: versions are numbered one after another."""
    try:
        with transaction.atomic():
            Template.objects.get_or_create(slug=slug, defaults={"name": slug, "created_at": now, "updated_at": now})
    except IntegrityError:
        pass  # another transaction made it; its row is there now
    return Template.objects.select_for_update(of=("self",)).select_related("current").get(slug=slug)


def _expect(template: Template, number: int | None) -> None:
    current = template.current.number if template.current and not template.deleted_at else 0
    if number is None or number == current:
        return
    if number == 0:
        raise SlugTaken(template.slug)
    raise VersionConflict(template.slug, expected=number, current=current)


def _add_version(
    template: Template, compiled: Compiled, *, source: str, dialect: str, note: str, by: AbstractBaseUser | None, now: datetime
) -> TemplateVersion:
    latest = template.versions.order_by("-number").values_list("number", flat=True).first()
    return TemplateVersion.objects.create(
        template=template,
        number=(latest or 0) + 1,
        dialect=dialect,
        source=source,
        params_schema=dict(compiled.params_schema),
        trigger=compiled.trigger,
        retention_days=compiled.retention_days,
        definition=definitions.store(definition=compiled.definition, now=now),
        note=note,
        created_at=now,
        created_by_id=by.pk if by else None,
    )


def _describe(template: Template, compiled: Compiled, version: TemplateVersion, *, now: datetime, is_bundled: bool) -> None:
    """The row says what its current version says. A bundled template that somebody else publishes counts as edited."""
    Template.objects.filter(pk=template.pk).update(
        name=compiled.name,
        description=compiled.description,
        tags=list(compiled.tags),
        current=version,
        is_bundled=is_bundled or template.is_bundled,
        is_edited=not is_bundled and template.is_bundled,
        updated_at=now,
        deleted_at=None,
    )


def _reread(slug: str) -> Template:
    """The row as it is now."""
    return Template.objects.select_related("current__definition").get(slug=slug)
