"""The last workflow of a template that completed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, a_definition, a_template, a_workflow, later
from workflows_app.engine.report.last_good import last_good
from workflows_app.graph.statuses import Status
from workflows_app.models import Template, TemplateVersion

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def next_version(template: Template) -> Template:
    number = template.current.number + 1
    template.current = TemplateVersion.objects.create(
        template=template, number=number, source="", definition=a_definition(), created_at=NOW
    )
    template.save()
    return template


def test_it_is_the_latest_that_completed_before_of_any_version():
    template = a_template()
    a_workflow(template=template, statuses=DONE, ended_at=later(1))
    good = a_workflow(template=next_version(template), statuses=DONE, ended_at=later(2))
    a_workflow(template=template, statuses=FAILED, ended_at=later(3))
    failed = a_workflow(template=next_version(template), statuses=FAILED, ended_at=later(4))
    a_workflow(template=template, statuses=DONE, ended_at=later(5))
    assert last_good(failed) == good


def test_there_is_none_without_a_template_or_another_that_completed():
    a_workflow(template=a_template(), statuses=DONE)
    assert last_good(a_workflow(statuses=FAILED)) is None
    alone = a_workflow(template=a_template(), statuses=DONE)
    assert last_good(alone) is None, "it is not compared with itself"


def test_the_number_of_queries_does_not_grow_with_the_versions():
    template = a_template()
    failed = a_workflow(template=template, statuses=FAILED)
    for _ in range(5):
        a_workflow(template=next_version(template), statuses=DONE, ended_at=later(1))
    with CaptureQueriesContext(connection) as captured:
        last_good(failed)
    assert len(captured) <= 2
