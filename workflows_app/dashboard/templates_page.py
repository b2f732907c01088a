"""The list of templates as its page shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict

from workflows_app.dashboard.looks import Moment, moment, plural
from workflows_app.models import Template

MOST_SHOWN, MOST_TAGS = 500, 12


@dataclass(frozen=True, slots=True)
class Row:
    """`began_by` says what starts it beside people."""

    slug: str
    name: str
    description: str
    tags: list[tuple[str, str]]
    steps: int
    version: str
    dialect: str
    began_by: list[str]
    schedules: str
    is_as_delivered: bool
    published: Moment | None
    pk: int


@dataclass(frozen=True, slots=True)
class TemplatesPage:
    """`tags` are `(tag, URL, how many, whether chosen)`, the most used first."""

    rows: list[Row]
    tags: list[tuple[str, str, int, bool]]
    q: str
    tag: str
    more: int
    is_filtered: bool


def build(query: QueryDict, *, now: datetime) -> TemplatesPage:
    q, tag = (query.get(name, "").replace("\0", "").strip()[:200] for name in ("q", "tag"))
    found = list(_found(q))
    counts = Counter(name for template in found for name in _tags(template))
    chosen = [template for template in found if not tag or tag in _tags(template)]
    shown = sorted(counts, key=lambda name: (name != tag, -counts[name], name))[:MOST_TAGS]
    return TemplatesPage(
        rows=[_row(template, q, now) for template in chosen[:MOST_SHOWN]],
        tags=[(name, _url(q, "" if name == tag else name), counts[name], name == tag) for name in shown],
        q=q,
        tag=tag,
        more=max(0, len(chosen) - MOST_SHOWN),
        is_filtered=bool(q or tag),
    )


def _found(q: str) -> list[Template]:
    rows = Template.objects.published().select_related("current__definition").defer("current__source", "current__definition__body")
    rows = rows.annotate(schedule_count=Count("schedules")).order_by("slug")
    return list(rows.filter(Q(slug__icontains=q) | Q(name__icontains=q) | Q(description__icontains=q)) if q else rows)


def _tags(template: Template) -> list[str]:
    return [tag for tag in template.tags if isinstance(tag, str)] if isinstance(template.tags, list) else []


def _url(q: str, tag: str) -> str:
    query = {key: value for key, value in (("q", q), ("tag", tag)) if value}
    return f"?{urlencode(query)}" if query else "?"


def _row(template: Template, q: str, now: datetime) -> Row:
    version = template.current
    assert version is not None  # noqa: S101 - published templates only
    count: int = template.schedule_count  # type: ignore[attr-defined]
    return Row(
        slug=template.slug,
        name=template.name,
        description=template.description,
        tags=[(tag, _url(q, tag)) for tag in _tags(template)],
        steps=version.definition.node_count,
        version=f"v{version.number}",
        dialect="" if version.dialect == "template" else f"{version.dialect} dialect",
        began_by=["started by events"] if version.trigger is not None else [],
        schedules=plural(count, "schedule") if count else "",
        is_as_delivered=template.is_bundled and not template.is_edited,
        published=moment(version.created_at, now=now),
        pk=template.pk,
    )
