"""Workflows, their steps, the attempts at them and what they said."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models.catalog import Definition, TemplateVersion
from workflows_app.models.fields import RowId

STATUSES = [(status.value, status.value) for status in Status]


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def active(self) -> WorkflowQuerySet:
        """Said by `ended_at`, which the constraint ties to the status: a bound list of statuses proves nothing to a partial index."""
        return self.filter(ended_at__isnull=True)

    def top_level(self) -> WorkflowQuerySet:
        """Those that a place is counted for: started, and not a part of another."""
        return self.filter(parent_step__isnull=True, awaits_trigger=False)

    def held(self) -> WorkflowQuerySet:
        """Not begun, because as many workflows as may run at once do."""
        return self.active().filter(status=Status.WAITING_FOR_DEPENDENCY)

    def final(self) -> WorkflowQuerySet:
        return self.filter(ended_at__isnull=False)

    def in_status(self, status: Status) -> WorkflowQuerySet:
        """In this one status, said so that the partial index of active or of ended ones is used."""
        return self.filter(status=status, ended_at__isnull=status in ACTIVE)

    def newest_first(self) -> WorkflowQuerySet:
        return self.order_by("-updated_at", "-id")


class Workflow(models.Model):
    """One execution of a definition. `uid` is its id to the world; `seq` rises with every change of it or its steps.

    `parent_step` is the step of another workflow that waits for this one; `depth` counts such steps above it, and `root` is the
    outermost workflow. `event` or `schedule` is what started it, `started_by` who did; `chain_depth` counts the events that led here,
    one causing the next. One that `awaits_trigger` was submitted, not started.

    `active_steps` counts steps that are PENDING, RUNNING or wait for a time or an answer: at zero the workflow has ended.
    `done_steps` counts COMPLETED and skipped ones, and failures that `on_failure: continue` forgives.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=24, choices=STATUSES, default=Status.PENDING)
    seq = models.BigIntegerField(default=1)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    template_version = models.ForeignKey(TemplateVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="workflows")
    params = models.JSONField(default=dict, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    parent_step = models.ForeignKey("Step", null=True, blank=True, on_delete=models.SET_NULL, related_name="sub_workflows", db_index=False)
    root = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="parts", db_index=False)
    depth = models.PositiveSmallIntegerField(default=0)
    event = models.ForeignKey("Event", null=True, blank=True, on_delete=models.SET_NULL, related_name="workflows", db_index=False)
    chain_depth = models.PositiveSmallIntegerField(default=0)
    awaits_trigger = models.BooleanField(default=False)
    total_steps = models.PositiveIntegerField()
    done_steps = models.PositiveIntegerField(default=0)
    active_steps = models.PositiveIntegerField(default=0)
    failed_steps = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    schedule = models.ForeignKey("Schedule", null=True, blank=True, on_delete=models.SET_NULL, related_name="workflows", db_index=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    idempotency_digest = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="workflow_status_known"),
            models.CheckConstraint(condition=Q(done_steps__lte=F("total_steps")), name="workflow_done_at_most_total"),
            models.CheckConstraint(
                condition=~Q(status=Status.COMPLETED) | Q(done_steps=F("total_steps")), name="workflow_completed_is_all_done"
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(ACTIVE), ended_at__isnull=True) | Q(status__in=sorted(FINAL), ended_at__isnull=False),
                name="workflow_ended_iff_final",
            ),
            models.CheckConstraint(condition=Q(status__in=sorted(ACTIVE)) | Q(active_steps=0), name="workflow_final_has_no_active_step"),
            models.UniqueConstraint(
                fields=["idempotency_key"], condition=Q(idempotency_key__isnull=False), name="workflow_idempotency_key_once"
            ),
        ]
        indexes = [
            models.Index(F("updated_at").desc(), F("id").desc(), name="workflow_newest"),
            models.Index(fields=["status", "-updated_at", "-id"], condition=Q(ended_at__isnull=False), name="workflow_by_final_status"),
            models.Index(fields=["created_at"], name="workflow_by_creation"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="workflow_by_end"),
            models.Index(
                fields=["template_version", "status", "-ended_at"], condition=Q(ended_at__isnull=False), name="workflow_of_version_by_end"
            ),
            models.Index(fields=["id"], condition=Q(ended_at__isnull=True), name="workflow_active"),
            models.Index(fields=["parent_step"], condition=Q(parent_step__isnull=False), name="workflow_by_parent_step"),
            models.Index(fields=["root"], condition=Q(root__isnull=False), name="workflow_by_root"),
            models.Index(fields=["event"], condition=Q(event__isnull=False), name="workflow_by_event"),
            models.Index(fields=["schedule", "-id"], condition=Q(schedule__isnull=False), name="workflow_by_schedule"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.uid}"


class StepQuerySet(models.QuerySet["Step"]):
    def due(self, now) -> StepQuerySet:  # type: ignore[no-untyped-def]
        """Steps that a worker may claim at `now`."""
        return self.filter(available_at__lte=now)

    def is_any_due(self, now) -> bool:  # type: ignore[no-untyped-def]
        """Asked without and with a key: each has its partial index."""
        due = self.due(now)
        return due.filter(concurrency_key__isnull=True).exists() or due.filter(concurrency_key__isnull=False).exists()

    def top_level(self) -> StepQuerySet:
        """Steps of the definition's own nodes: not the elements of its maps."""
        return self.filter(parent__isnull=True)

    def running(self) -> StepQuerySet:
        """Steps that a worker holds: RUNNING, said by the lease because SQLite can prove that of a partial index."""
        return self.filter(lease_expires_at__isnull=False)


class Step(models.Model):
    """One node inside one workflow; the row is the queue entry too (docs/architecture.md).

    `available_at` is set exactly while the step may be claimed then: PENDING, or WAITING_FOR_DEPENDENCY on a timer.
    `attempt` is the fencing token: it rises with every claim, and every later write names it.
    `failures` counts attempts that reported a failure, `crashes` those whose worker died.
    `started_at` is when the first attempt began, `claimed_at` when the latest did.
    `resume` is what the action left for itself when it began to wait, `waits_for` who ends that wait before its time, and `answer`
    what they said. An element of a map has its map as `parent` and is in no counter of the workflow; the map counts in
    `open_elements` how many have not ended. At most `concurrency_limit` steps with a `concurrency_key` run at once.
    """

    LOOP, THREAD = 0, 1
    APPROVAL, EVENT, WORKFLOW, ELEMENTS, TURN = "approval", "event", "workflow", "elements", "turn"
    WAITS_FOR = [(name, name) for name in (APPROVAL, EVENT, WORKFLOW, ELEMENTS, TURN)]

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="steps", db_index=False)
    node_id = models.CharField(max_length=220)
    position = models.PositiveIntegerField()
    action = models.CharField(max_length=200)
    executor = models.PositiveSmallIntegerField(default=LOOP)
    priority = models.PositiveSmallIntegerField(default=5)
    status = models.CharField(max_length=24, choices=STATUSES, default=Status.WAITING_FOR_DEPENDENCY)
    remaining = models.PositiveIntegerField(default=0)
    succeeded_needs = models.PositiveIntegerField(default=0)
    failed_needs = models.PositiveIntegerField(default=0)
    skipped_needs = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(default=0)
    worker_id = models.CharField(max_length=32, blank=True, default="")
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    is_skipped = models.BooleanField(default=False)
    output = models.JSONField(null=True, blank=True)
    resume = models.JSONField(null=True, blank=True)
    waits_for = models.CharField(max_length=12, null=True, blank=True, choices=WAITS_FOR)
    answer = models.JSONField(null=True, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="elements", db_index=False)
    element = models.JSONField(null=True, blank=True)
    open_elements = models.PositiveIntegerField(default=0)
    concurrency_key = models.CharField(max_length=200, null=True, blank=True)
    concurrency_limit = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["workflow_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "node_id"], name="step_node_once_per_workflow"),
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="step_status_known"),
            models.CheckConstraint(
                condition=(Q(status=Status.RUNNING) & ~Q(worker_id="") & Q(lease_expires_at__isnull=False))
                | (~Q(status=Status.RUNNING) & Q(worker_id="") & Q(lease_expires_at__isnull=True)),
                name="step_leased_iff_running",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.PENDING, available_at__isnull=False)
                | Q(status=Status.WAITING_FOR_DEPENDENCY)
                | (~Q(status__in=[Status.PENDING, Status.WAITING_FOR_DEPENDENCY]) & Q(available_at__isnull=True)),
                name="step_available_iff_claimable",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(FINAL), ended_at__isnull=False) | Q(status__in=sorted(ACTIVE), ended_at__isnull=True),
                name="step_ended_iff_final",
            ),
            models.CheckConstraint(condition=Q(is_skipped=False) | Q(status=Status.STOPPED), name="step_skipped_is_stopped"),
            models.CheckConstraint(
                condition=Q(waits_for__isnull=True) | Q(status=Status.WAITING_FOR_DEPENDENCY), name="step_waits_for_while_waiting"
            ),
        ]
        indexes = [
            models.Index(
                fields=["executor", "priority", "available_at"],
                condition=Q(available_at__isnull=False, concurrency_key__isnull=True),
                name="step_claimable",
            ),
            models.Index(
                fields=["concurrency_key", "concurrency_limit", "available_at"],
                condition=Q(available_at__isnull=False, concurrency_key__isnull=False),
                name="step_claimable_by_key",
            ),
            models.Index(
                fields=["concurrency_key", "lease_expires_at"],
                condition=Q(lease_expires_at__isnull=False, concurrency_key__isnull=False),
                name="step_leases_by_key",
            ),
            models.Index(fields=["waits_for", "parent", "position"], condition=Q(waits_for__isnull=False), name="step_waits"),
            models.Index(fields=["parent", "position"], condition=Q(parent__isnull=False), name="step_elements"),
            models.Index(fields=["lease_expires_at"], condition=Q(lease_expires_at__isnull=False), name="step_leases"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.status}"


class Attempt(models.Model):
    """One ended claim of a step. Append-only; the running one is in the step's own row. `late_result` is what its worker reported
    after the lease had been taken back: it was refused, and is told here."""

    OUTCOMES = [(name, name) for name in ("completed", "skipped", "failed", "retried", "crashed", "stopped", "released")]

    id = RowId(primary_key=True)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    worker_id = models.CharField(max_length=32)
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    late_result = models.CharField(max_length=12, blank=True, default="", db_default="")
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["step_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_recorded_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="attempt_number_from_1"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"


class LogLine(models.Model):
    """One line a step said, in order of `id`."""

    LEVELS = [(name, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR")]

    id = RowId(primary_key=True)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="log_lines", db_index=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=LEVELS, default="INFO")
    message = models.TextField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["step", "id"], name="log_line_by_step")]

    def __str__(self) -> str:
        return f"{self.level} {self.message[:80]}"
