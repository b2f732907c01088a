"""Submitting: checked, kept, not started."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.factories import NOW, later
from workflows_app.catalog import again
from workflows_app.catalog.submit import definition_id, submit
from workflows_app.engine.errors import IdempotencyConflict, NotAllowed
from workflows_app.graph.problems import DefinitionError
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db
DAG: dict[str, Any] = {"name": "Double", "tags": ["t"], "dag": {"nodes": [{"id": "a", "handler": "input"}]}}


def submitted(**changes: Any) -> Workflow:
    return submit(**{"name": "", "definition": DAG, "now": NOW, **changes})


def test_it_is_pending_and_no_step_of_it_may_be_claimed() -> None:
    workflow = submitted()
    assert (workflow.name, workflow.status, workflow.tags, workflow.awaits_trigger) == ("Double", Status.PENDING, ["t"], True)
    assert not Step.objects.due(later(10**6)).exists()


def test_a_name_beside_the_definition_counts_more() -> None:
    assert submitted(name="Other").name == "Other"


def test_the_id_of_the_definition_is_the_beginning_of_its_digest() -> None:
    workflow = submitted()
    assert definition_id(workflow) == uuid.UUID(workflow.definition.digest[:32])


def test_the_same_key_gives_the_same_execution_and_another_dag_is_a_conflict() -> None:
    assert submitted(idempotency_key="k").pk == submitted(idempotency_key="k").pk
    with pytest.raises(IdempotencyConflict):
        submitted(idempotency_key="k", definition={**DAG, "name": "Triple"})


def test_what_does_not_compile_is_not_kept() -> None:
    with pytest.raises(DefinitionError):
        submitted(definition={"name": "x", "dag": {"nodes": []}})
    assert not Workflow.objects.exists()


def test_triggering_starts_it_once_with_these_parameters() -> None:
    workflow = submitted()
    assert again.trigger(uid=workflow.uid, params={"n": 1}, now=NOW).pk == workflow.pk
    workflow.refresh_from_db()
    assert (workflow.params, workflow.awaits_trigger, Step.objects.due(NOW).count()) == ({"n": 1}, False, 1)
    with pytest.raises(NotAllowed):
        again.trigger(uid=workflow.uid, now=NOW)
