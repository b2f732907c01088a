"""A template says for how many days its workflows are kept; an installation says how large a definition may be."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.api.calls import get
from workflows_app.catalog import exchange
from workflows_app.catalog.publish import publish
from workflows_app.catalog.validate import validate
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import TemplateVersion

pytestmark = pytest.mark.django_db
STEP = {"id": "a", "action": "transform", "with": {"value": 1}}
WRITTEN: dict[str, dict[str, Any]] = {
    "template": {"name": "Ping", "steps": [STEP]},
    "graph": {"name": "Ping", "nodes": [{"id": "a", "type": "transform", "data": {"value": 1}}]},
    "dag": {"name": "Ping", "dag": {"nodes": [{"id": "a", "handler": "transform", "config": {"value": 1}}]}},
    "tasks": {"name": "Ping", "steps": [{"execution_type": "parallel", "tasks": [{"name": "transform", "params": {"value": 1}}]}]},
}


def published(now: datetime, dialect: str = "template", **said: Any) -> TemplateVersion:
    return publish(slug="ping", source=json.dumps({**WRITTEN[dialect], **said}), dialect=dialect, now=now)


@pytest.mark.parametrize("dialect", WRITTEN)
@pytest.mark.parametrize(("said", "kept"), [({"retention_days": 7}, 7), ({"retention_days": 0}, 0), ({}, None)])
def test_every_dialect_says_how_long_ended_workflows_are_kept(now: datetime, dialect: str, said: dict[str, int], kept: int | None) -> None:
    version = published(now, dialect, **said)
    version.refresh_from_db()
    assert version.retention_days == kept
    assert get("/api/templates/ping").json()["retentionDays"] == kept


@pytest.mark.parametrize("days", [-1, 36_501, 1.5, "7", True])
@pytest.mark.parametrize("dialect", WRITTEN)
def test_another_number_of_days_is_refused_where_it_stands(now: datetime, dialect: str, days: Any) -> None:
    with pytest.raises(DefinitionError) as refused:
        published(now, dialect, retention_days=days)
    assert [problem.path for problem in refused.value.problems] == ["retention_days"]


def test_it_survives_an_export_and_an_import(now: datetime) -> None:
    published(now, retention_days=3)
    again = exchange.import_template(source=exchange.export(slug="ping"), slug="pong", now=now)
    assert again.retention_days == 3


@pytest.mark.parametrize(
    ("days", "shown"), [(7, "kept for 7 days"), (1, "kept for 1 day"), (0, "kept for ever"), (None, "kept for 90 days")]
)
def test_the_page_of_the_template_says_it(now: datetime, days: int | None, shown: str) -> None:
    published(now, **({} if days is None else {"retention_days": days}))
    assert f"· {shown}<" in get("/templates/ping/start").content.decode()


def test_a_definition_larger_than_the_installation_allows_is_refused(settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_nodes": 2})
    two = {"name": "Two", "steps": [STEP, {**STEP, "id": "b"}]}
    assert len(validate(two).definition.nodes) == 2
    with pytest.raises(DefinitionError, match=r"there are 3 steps; the limit here is 2 \(MAX_NODES\)"):
        validate({**two, "steps": [*two["steps"], {**STEP, "id": "c"}]})
