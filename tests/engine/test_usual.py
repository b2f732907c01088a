"""How long a template's workflows usually take."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import NOW, a_template, a_workflow
from workflows_app.engine.report.usual import is_slow, usual, usual_steps
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, TemplateVersion, Workflow

pytestmark = pytest.mark.django_db


def version() -> TemplateVersion:
    found = a_template().current
    assert found is not None
    return found


def completed(of: TemplateVersion, *seconds: float) -> None:
    for number, length in enumerate(seconds):
        ended = NOW + timedelta(minutes=number)
        made = a_workflow(template_version=of)
        began = ended - timedelta(seconds=length)
        Step.objects.filter(workflow=made).update(status=Status.COMPLETED, available_at=None, started_at=began, ended_at=ended)
        total = Step.objects.filter(workflow=made).count()
        values = {"status": Status.COMPLETED, "active_steps": 0, "done_steps": total, "started_at": began, "ended_at": ended}
        Workflow.objects.filter(pk=made.pk).update(**values)


def test_the_median_of_those_that_completed_last_is_usual() -> None:
    of = version()
    completed(of, 1_000, *[10] * 10, *[30] * 10)
    found = usual([of.pk])[of.pk]
    assert found.samples == 20
    assert found.median_seconds == pytest.approx(20, abs=0.01)
    assert found.p95_seconds == pytest.approx(30, abs=0.01)


def test_of_too_few_nothing_is_usual() -> None:
    of = version()
    completed(of, 10, 10)
    assert usual([of.pk]) == {}
    assert usual([]) == {}


def test_those_that_failed_or_still_run_say_nothing() -> None:
    of = version()
    completed(of, 10, 10, 10)
    failed = a_workflow(template_version=of)
    Workflow.objects.filter(pk=failed.pk).update(
        status=Status.FAILED, active_steps=0, started_at=NOW - timedelta(hours=9), ended_at=NOW + timedelta(hours=1)
    )
    a_workflow(template_version=of)
    assert usual([of.pk])[of.pk].median_seconds == pytest.approx(10, abs=0.01)


def test_each_step_has_its_usual_time() -> None:
    of = version()
    completed(of, 4, 8, 6)
    found = usual_steps(usual([of.pk])[of.pk], 1)
    assert found and all(seconds == pytest.approx(6, abs=0.01) for seconds in found.values())


@pytest.mark.parametrize(("elapsed", "slow"), [(14, False), (31, True), (15.5, False)])
def test_one_that_takes_half_as_long_again_and_longer_than_nearly_all_is_slow(elapsed: float, slow: bool) -> None:
    of = version()
    completed(of, 10, 10, 10, 30)
    running = Workflow(started_at=NOW - timedelta(seconds=elapsed))
    assert is_slow(running, usual([of.pk])[of.pk], now=NOW) is slow
    assert not is_slow(running, None, now=NOW)
