"""Tests of starting workflows from templates and inline."""

from __future__ import annotations

import pytest

from tests.catalog.sources import BROKEN, HELLO, PLAIN
from workflows_app.catalog.publish import publish
from workflows_app.catalog.start import InvalidParams, UnknownTemplate, digest, start_inline, start_template
from workflows_app.catalog.validate import UnknownDialect
from workflows_app.catalog.withdraw import withdraw
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.graph.problems import DefinitionError
from workflows_app.graph.statuses import Status
from workflows_app.models import Definition, Workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hello(now):
    publish(slug="hello", source=HELLO, now=now)


def test_a_template_starts_a_workflow_pinned_to_its_version(now):
    workflow = start_template(slug="hello", params={"name": "Ann"}, now=now)
    workflow.refresh_from_db()
    assert (workflow.name, workflow.description, workflow.tags) == ("Hello", "Greets", ["greeting"])
    assert workflow.params == {"name": "Ann", "times": 1}
    assert workflow.status == Status.PENDING
    assert workflow.template_version.number == 1
    assert [step.node_id for step in workflow.steps.all()] == ["greet"]
    publish(slug="hello", source=PLAIN, now=now)
    workflow.refresh_from_db()
    assert workflow.definition == workflow.template_version.definition


def test_an_older_version_can_be_started(now):
    publish(slug="hello", source=PLAIN, now=now)
    assert start_template(slug="hello", params={"name": "x"}, now=now, version=1).template_version.number == 1
    assert start_template(slug="hello", params={}, now=now).template_version.number == 2


def test_an_unknown_or_withdrawn_template_starts_nothing(now):
    withdraw(slug="hello", now=now)
    for slug in ("hello", "nope"):
        with pytest.raises(UnknownTemplate):
            start_template(slug=slug, params={"name": "x"}, now=now)
    assert not Workflow.objects.exists()


def test_bad_parameters_start_nothing_and_name_each_field(now):
    with pytest.raises(InvalidParams) as caught:
        start_template(slug="hello", params={"nmae": "x", "times": 0}, now=now)
    assert set(caught.value.errors) == {"name", "nmae", "times"}
    assert not Workflow.objects.exists()


def test_the_same_key_and_payload_answer_with_the_same_workflow(now):
    first, again = (start_template(slug="hello", params={"name": "x"}, idempotency_key="k", now=now) for _ in range(2))
    assert first.uid == again.uid
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize("other", [{"slug": "hello", "params": {"name": "y"}}, {"slug": "plain", "params": {}}])
def test_the_same_key_with_another_payload_is_a_conflict(now, other):
    publish(slug="plain", source=PLAIN, now=now)
    start_template(slug="hello", params={"name": "x"}, idempotency_key="k", now=now)
    with pytest.raises(IdempotencyConflict):
        start_template(**other, idempotency_key="k", now=now)
    assert Workflow.objects.count() == 1


def test_without_a_key_every_start_is_a_new_workflow(now):
    for _ in range(2):
        start_template(slug="hello", params={"name": "x"}, now=now)
    assert Workflow.objects.count() == 2


INLINE = {"steps": [{"id": "a", "action": "input"}], "params": {"properties": {"x": {"type": "integer"}}}}


def test_an_inline_definition_starts_a_workflow_without_a_template(now):
    workflow = start_inline(name="Once", dialect="template", definition=INLINE, params={"x": 1}, idempotency_key=None, now=now)
    assert (workflow.name, workflow.template_version, workflow.params) == ("Once", None, {"x": 1})
    assert workflow.definition.node_count == 1


def test_an_inline_definition_may_be_text(now):
    assert start_inline(name="Mine", definition=HELLO, params={"name": "x"}, now=now).name == "Mine"


def test_a_bad_inline_definition_stores_nothing(now):
    before = Definition.objects.count()
    with pytest.raises(DefinitionError, match="did you mean 'input'"):
        start_inline(name="x", definition=BROKEN, params={}, now=now)
    with pytest.raises(UnknownDialect):
        start_inline(name="x", dialect="nope", definition={}, params={}, now=now)
    with pytest.raises(InvalidParams):
        start_inline(name="x", definition=INLINE, params={"x": "y"}, now=now)
    assert not Workflow.objects.exists()
    assert Definition.objects.count() == before


def test_inline_starts_are_idempotent_by_their_whole_body(now):
    def begin(**changes):
        given = {"name": "Once", "definition": INLINE, "params": {"x": 1}, "idempotency_key": "k", "now": now}
        return start_inline(**{**given, **changes})

    assert begin().uid == begin().uid
    for changes in ({"params": {"x": 2}}, {"name": "Twice"}, {"definition": {"steps": [{"id": "b", "action": "input"}]}, "params": {}}):
        with pytest.raises(IdempotencyConflict):
            begin(**changes)


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": 2}, {"c": 3, "d": 4}) == digest({"b": 2, "a": 1}, {"d": 4, "c": 3})
    assert digest({"a": 1}, {}) != digest({}, {"a": 1})
    assert len(digest({}, {})) == 64


def test_a_text_without_a_name_takes_the_given_one(now):
    text = PLAIN.partition("\n")[2]
    assert start_inline(name="Given", definition=text, params={}, now=now).name == "Given"
    with pytest.raises(DefinitionError, match="name"):
        start_inline(name="", definition=text, params={}, now=now)
