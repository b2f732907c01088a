"""Graphs as templates: their slugs, their versions, and that templates of other dialects are not touched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.templates_for_tests import a_published
from tests.factories import NOW, a_user, later
from workflows_app.catalog.graphs import UnknownGraph, all_graphs, create_graph, find_graph, replace_graph, withdraw_graph
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import Template

pytestmark = pytest.mark.django_db


def graph(**changes: Any) -> dict[str, Any]:
    return {"name": "Hot lead", "nodes": [{"id": "a", "type": "start", "data": {"ü": 1}}], "edges": [], **changes}


def kept(**changes: Any) -> Template:
    changes.setdefault("nodes", [{"id": "a", "type": "start"}])
    return create_graph(graph=graph(**changes), now=NOW)


def test_a_graph_is_a_template_of_its_dialect_with_its_trigger_and_author() -> None:
    template = create_graph(graph=graph(nodes=[{"id": "a", "type": "start"}], trigger={"var": "x"}), by=a_user("ana"), now=NOW)
    version = template.current
    assert version is not None and version.created_by is not None
    assert (template.slug, version.dialect, version.trigger, version.created_by.username) == ("hot-lead", "graph", {"var": "x"}, "ana")
    assert list(all_graphs()) == [template]


def test_a_new_version_keeps_the_slug_though_the_name_changes() -> None:
    kept()
    changed = replace_graph(slug="hot-lead", graph=graph(name="Cold lead", nodes=[{"id": "b", "type": "start"}]), now=later(5))
    assert (changed.slug, changed.name, changed.current and changed.current.number) == ("hot-lead", "Cold lead", 2)
    assert changed.updated_at == later(5)


def test_what_does_not_compile_is_not_kept() -> None:
    with pytest.raises(DefinitionError):
        create_graph(graph=graph(nodes=[]), now=NOW)
    assert not Template.objects.exists()


def test_a_template_of_another_dialect_is_found_changed_and_withdrawn_by_its_own_verbs_only() -> None:
    a_published("one")
    for verb in (
        lambda: find_graph("one"),
        lambda: replace_graph(slug="one", graph=graph(), now=NOW),
        lambda: withdraw_graph(slug="one", now=NOW),
    ):
        with pytest.raises(UnknownGraph, match="Workflow 'one' not found"):
            verb()
    assert Template.objects.published().count() == 1


def test_a_slug_once_used_is_not_used_again() -> None:
    kept()
    withdraw_graph(slug="hot-lead", now=NOW)
    assert kept().slug == "hot-lead-2"
