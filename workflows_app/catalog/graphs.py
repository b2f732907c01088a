"""Graphs by their own address: a template of the graph dialect whose slug is made of its name (CONTRACT.md section 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from workflows_app.catalog.publish import SlugTaken, create, publish
from workflows_app.catalog.slugs import free_slug
from workflows_app.catalog.templates import UnknownTemplate
from workflows_app.catalog.validate import validate
from workflows_app.catalog.withdraw import withdraw
from workflows_app.models import Template
from workflows_app.models.catalog import TemplateQuerySet

Json = Any
DIALECT = "graph"


class UnknownGraph(UnknownTemplate):
    """There is no such template, or it is of another dialect."""

    def __init__(self, slug: str) -> None:
        LookupError.__init__(self, f"Workflow '{slug}' not found")
        self.slug = slug


def all_graphs() -> TemplateQuerySet:
    return Template.objects.published().filter(current__dialect=DIALECT).select_related("current")


def find_graph(slug: str) -> Template:
    """With its current version. Raises UnknownGraph."""
    found = all_graphs().filter(slug=slug).first()
    if found is None:
        raise UnknownGraph(slug)
    return found


def create_graph(*, graph: Mapping[str, Json], by: AbstractBaseUser | None = None, now: datetime) -> Template:
    """A new template under the first free slug of its name. Raises DefinitionError."""
    name = validate(graph, DIALECT).name
    while True:
        try:
            return create(slug=free_slug(name), source=_text(graph), dialect=DIALECT, by=by, now=now).template
        except SlugTaken:
            continue  # somebody else took it between the look and the insert


def replace_graph(*, slug: str, graph: Mapping[str, Json], by: AbstractBaseUser | None = None, now: datetime) -> Template:
    """The next version. Raises UnknownGraph, DefinitionError."""
    found = find_graph(slug)
    return publish(slug=found.slug, source=_text(graph), dialect=DIALECT, by=by, now=now).template


def withdraw_graph(*, slug: str, now: datetime) -> None:
    """Its executions stay. Raises UnknownGraph."""
    withdraw(slug=find_graph(slug).slug, now=now)


def _text(graph: Mapping[str, Json]) -> str:
    return json.dumps(graph, indent=2, ensure_ascii=False)
