"""`manage.py make_history`: history that no rule can tell from what workers wrote."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from tests.engine import oracle
from tests.factories import a_workflow
from workflows_app.models import Attempt, LogLine, Step, Workflow

pytestmark = pytest.mark.django_db


def make(*more: str) -> str:
    out = io.StringIO()
    call_command("make_history", "--workflows", "60", "--steps-per-workflow", "4", *more, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_every_workflow_of_it_satisfies_the_oracle() -> None:
    assert make("--seed", "3") == "Made: 60 workflows with 240 steps\n"
    for workflow in Workflow.objects.all():
        oracle.judge(workflow)
    assert set(Workflow.objects.values_list("status", flat=True)) == {"COMPLETED", "FAILED", "STOPPED"}
    assert Step.objects.count() == 240 and Step.objects.filter(attempt=2).exists()
    assert Attempt.objects.count() >= LogLine.objects.count() == Step.objects.filter(attempt__gt=0).count()


def test_the_same_seed_makes_the_same_history() -> None:
    make("--seed", "7", "--days", "2")
    first = list(Workflow.objects.order_by("pk").values_list("name", "status", "tags"))
    make("--seed", "7", "--add")
    assert list(Workflow.objects.order_by("pk").values_list("name", "status", "tags")) == first * 2


def test_it_is_refused_where_there_are_workflows() -> None:
    a_workflow()
    with pytest.raises(CommandError, match="There are workflows already"):
        make()
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize("wrong", ["--workflows=0", "--steps-per-workflow=20000", "--days=-1"])
def test_a_number_out_of_range_is_refused(wrong: str) -> None:
    with pytest.raises(CommandError, match="are allowed"):
        make(wrong)
