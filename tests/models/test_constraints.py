"""Each named constraint, refused by the database itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from tests.factories import NOW, a_definition, a_step, a_template, a_token, a_user, a_workflow, an_attempt, later
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import (
    ApiToken,
    Attempt,
    Definition,
    Event,
    Layout,
    Notification,
    NotificationRead,
    QueuePause,
    SavedView,
    Schedule,
    Step,
    Template,
    TemplateVersion,
    Workflow,
)

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def step(was: Status = Status.PENDING, **changes: Any) -> int:
    a_workflow(Node("a", "input"), statuses={"a": was})
    return Step.objects.update(**changes)


def workflow(statuses: dict[str, Status] | None = None, **changes: Any) -> int:
    a_workflow(statuses=statuses)
    return Workflow.objects.update(**changes)


def schedule(name: str = "nightly", **changes: Any) -> Schedule:
    return Schedule.objects.create(template=a_template(), name=name, cron="0 3 * * *", created_at=NOW, updated_at=NOW, **changes)


BROKEN: list[tuple[str, Callable[[], object]]] = [
    ("definition_has_nodes", lambda: Definition.objects.filter(digest=a_definition().digest).update(node_count=0)),
    ("template_version_number_from_1", lambda: a_template(version=0)),
    ("workflow_status_known", lambda: workflow(status="DONE")),
    ("workflow_done_at_most_total", lambda: workflow(done_steps=3)),
    ("workflow_completed_is_all_done", lambda: workflow(DONE, done_steps=1)),
    ("workflow_ended_iff_final", lambda: workflow(ended_at=NOW)),
    ("workflow_ended_iff_final", lambda: workflow(DONE, ended_at=None)),
    ("workflow_final_has_no_active_step", lambda: workflow(DONE, active_steps=1)),
    ("step_status_known", lambda: step(status="SKIPPED", available_at=None)),
    ("step_leased_iff_running", lambda: step(Status.RUNNING, worker_id="")),
    ("step_leased_iff_running", lambda: step(Status.RUNNING, lease_expires_at=None)),
    ("step_leased_iff_running", lambda: step(Status.PENDING, worker_id="w")),
    ("step_leased_iff_running", lambda: step(Status.COMPLETED, lease_expires_at=later(9))),
    ("step_available_iff_claimable", lambda: step(Status.PENDING, available_at=None)),
    ("step_available_iff_claimable", lambda: step(Status.RUNNING, available_at=NOW)),
    ("step_available_iff_claimable", lambda: step(Status.STOPPED, available_at=NOW)),
    ("step_ended_iff_final", lambda: step(Status.COMPLETED, ended_at=None)),
    ("step_ended_iff_final", lambda: step(Status.PENDING, ended_at=NOW)),
    ("step_skipped_is_stopped", lambda: step(Status.COMPLETED, is_skipped=True)),
    ("step_waits_for_while_waiting", lambda: step(Status.PENDING, waits_for="approval")),
    ("step_waits_for_while_waiting", lambda: step(Status.RUNNING, waits_for="turn")),
    ("queue_paused_once", lambda: QueuePause.objects.create(pk=2, since=NOW)),
    ("schedule_overlap_known", lambda: schedule(overlap="queue")),
    ("schedule_catch_up_known", lambda: schedule(catch_up="all")),
    ("attempt_number_from_1", lambda: an_attempt(a_workflow().steps.first(), number=0)),
]


def refuse(break_it: Callable[[], object]) -> str:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        break_it()
    return str(refused.value)


@pytest.mark.parametrize(("name", "break_it"), BROKEN, ids=[f"{name}-{i}" for i, (name, _) in enumerate(BROKEN)])
def test_the_database_refuses(name: str, break_it: Callable[[], object]) -> None:
    """An unknown status breaks `…_ended_iff_final` as well, and either may be the one that is named."""
    assert name in refuse(break_it).replace("_ended_iff_final", "_status_known" if "_status_" in name else "_ended_iff_final")


def test_a_version_number_is_used_once_per_template() -> None:
    version = a_template().current
    values = {"definition": version.definition, "source": "x", "created_at": NOW}
    TemplateVersion.objects.create(template=version.template, number=2, **values)
    refuse(lambda: TemplateVersion.objects.create(template=version.template, number=2, **values))


def test_an_idempotency_key_starts_one_workflow() -> None:
    a_workflow(idempotency_key="k")
    refuse(lambda: a_workflow(idempotency_key="k"))


def test_workflows_without_an_idempotency_key_do_not_clash() -> None:
    a_workflow()
    a_workflow()
    assert Workflow.objects.count() == 2


def test_a_node_is_one_step_per_workflow() -> None:
    first = a_workflow(Node("a", "input")).steps.get()
    refuse(lambda: a_step(first.workflow, Node("a", "input"), position=1))


def test_an_attempt_is_recorded_once() -> None:
    first = a_workflow().steps.first()
    an_attempt(first, number=1)
    refuse(lambda: Attempt.objects.create(step=first, number=1, worker_id="w", outcome="failed", started_at=NOW, ended_at=NOW))


def test_a_key_of_an_event_is_taken_once_per_source() -> None:
    for source in ("shop", "bank"):
        Event.objects.create(source=source, idempotency_key="k", payload={}, received_at=NOW)
    refuse(lambda: Event.objects.create(source="shop", idempotency_key="k", payload={}, received_at=NOW))
    Event.objects.create(source="shop", payload={}, received_at=NOW)
    Event.objects.create(source="shop", payload={}, received_at=NOW)


def test_a_notification_is_read_once_by_each() -> None:
    note, reader = Notification.objects.create(title="It is done", created_at=NOW), a_user()
    NotificationRead.objects.create(notification=note, user=reader, read_at=NOW)
    NotificationRead.objects.create(notification=note, user=a_user(), read_at=NOW)
    refuse(lambda: NotificationRead.objects.create(notification=note, user=reader, read_at=NOW))


def test_a_view_is_named_once_by_each() -> None:
    owner = a_user()
    for user in (owner, a_user()):
        SavedView.objects.create(owner=user, name="mine", created_at=NOW)
    refuse(lambda: SavedView.objects.create(owner=owner, name="mine", created_at=NOW))


def test_a_layout_is_kept_once_per_variant() -> None:
    drawn = a_definition()
    for variant in ("LR", "TB"):
        Layout.objects.create(definition=drawn, variant=variant, body={}, created_at=NOW)
    refuse(lambda: Layout.objects.create(definition=drawn, variant="LR", body={}, created_at=NOW))


def test_a_schedule_has_a_name_of_its_own() -> None:
    schedule("nightly")
    schedule("weekly")
    refuse(lambda: schedule("nightly"))


def test_a_slug_names_one_template_a_uid_one_workflow_and_a_digest_one_token() -> None:
    a_template("etl")
    refuse(lambda: Template.objects.create(slug="etl", created_at=NOW, updated_at=NOW))
    uid = a_workflow().uid
    refuse(lambda: a_workflow(uid=uid))
    digest = a_token(secret="s").digest
    refuse(lambda: ApiToken.objects.create(user=a_user(), name="x", prefix="x", digest=digest, created_at=NOW))


def test_a_definition_that_a_workflow_runs_cannot_go() -> None:
    used = a_workflow().definition
    with pytest.raises(models.ProtectedError):
        used.delete()


def test_a_workflow_outlives_its_parent_and_its_version() -> None:
    template = a_template()
    parent = a_workflow()
    child = a_workflow(template=template, parent=parent)
    parent.delete()
    Template.objects.update(current=None)
    TemplateVersion.objects.all().delete()
    child.refresh_from_db()
    assert (child.parent, child.template_version) == (None, None)


def test_steps_attempts_and_lines_go_with_their_workflow() -> None:
    gone = a_workflow()
    an_attempt(gone.steps.first())
    gone.delete()
    assert not Step.objects.exists() and not Attempt.objects.exists()


UNIQUE_TESTED = {
    "template_version_number_once", "workflow_idempotency_key_once", "step_node_once_per_workflow", "attempt_recorded_once",
    "event_idempotency_key_once", "notification_read_once", "saved_view_name_once_per_owner", "layout_once_per_variant",
    "schedule_name_once",
}  # fmt: skip


def test_every_named_constraint_has_its_test_here() -> None:
    named = {constraint.name for model in apps.get_app_config("workflows_app").get_models() for constraint in model._meta.constraints}
    assert named == {name for name, _ in BROKEN} | UNIQUE_TESTED


PARTIAL = (
    "step_claimable", "step_claimable_by_key", "step_leases", "step_leases_by_key", "step_waits", "step_elements", "workflow_active",
    "worker_live", "schedule_by_next",
)  # fmt: skip


@pytest.mark.parametrize("index", PARTIAL)
def test_indexes_on_active_states_are_partial(index: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [index])
        else:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
        assert " WHERE " in cursor.fetchone()[0]
