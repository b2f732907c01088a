"""Sub-workflows: a step starts a template and waits; failure and stop pass through, in both directions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, IntegerField, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from workflows_app.actions.base import Fail
from workflows_app.dialects.params import InvalidParams, accept
from workflows_app.engine import answers
from workflows_app.engine.definitions import is_readable
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.results import output_of, size_of_output
from workflows_app.engine.sql.transaction import Session
from workflows_app.engine.start import Order, place
from workflows_app.graph.names import did_you_mean
from workflows_app.models import Step, Template, TemplateVersion, Workflow

MAX_DEPTH = 10
MAX_PARTS = 10_000
ATTEMPT = "_parentAttempt"  # in a sub-workflow's metadata: which attempt of the step waits for it


def prepare(outcome: Outcome) -> None:
    """Decide what to start, before the transaction that starts it. Raises Fail."""
    claim, launch = outcome.claim, outcome.launch
    if launch is None:
        return
    if claim.workflow.depth >= MAX_DEPTH:
        raise Fail(f"Sub-workflows nest {MAX_DEPTH} deep at most; '{launch.template}' would be one deeper")
    root_id = claim.workflow.root_id or claim.workflow_id
    if Workflow.objects.filter(root_id=root_id).count() >= MAX_PARTS:
        raise Fail(f"A workflow may start {MAX_PARTS:,} sub-workflows in all, those of its sub-workflows included")
    version = _version(launch.template, launch.version)
    uid = uuid.uuid4()
    outcome.metadata = {"waitingFor": f"workflow {uid} of template {launch.template}", "workflowId": str(uid)}
    outcome.order = Order(
        definition=version.definition, name=version.template.name, params=_accepted(version, launch.params),
        description=version.template.description, tags=version.template.tags, template_version=version, uid=uid,
        parent=Workflow(pk=claim.workflow_id), parent_step_id=claim.step_id, root_id=root_id,
        depth=claim.workflow.depth + 1, chain_depth=claim.workflow.chain_depth, metadata={ATTEMPT: claim.attempt},
    )  # fmt: skip


def record(session: Session, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Start what was prepared, in the transaction in which the step begins to wait for it."""
    orders = [outcome.order for outcome in outcomes if outcome.order is not None]
    if orders:
        place(session, orders, now)


def tell_parents(workflow_ids: Iterable[int], *, now: datetime) -> None:
    """These sub-workflows have ended: the steps that wait for them go on. What only another release can read, that one tells of."""
    for child in Workflow.objects.final().filter(pk__in=list(workflow_ids), parent_step__isnull=False).select_related("parent_step"):
        step = child.parent_step
        if step is not None and is_awaited(child) and is_readable(child.definition_id):
            answers.answer(step_id=step.pk, attempt=step.attempt, kind=Step.WORKFLOW, answer=_answer(child), now=now)


def is_awaited(child: Workflow) -> bool:
    """Whether the step that started it waits for it still, and not for one that a later attempt started."""
    step = child.parent_step
    return step is not None and step.waits_for == Step.WORKFLOW and step.attempt == child.metadata.get(ATTEMPT, 0)


def below(workflow_ids: Iterable[int], most: int) -> list[int]:
    """Active sub-workflows that steps of these workflows started and do not wait for any more."""
    return list(_unawaited().filter(parent_step__workflow__in=list(workflow_ids)).values_list("pk", flat=True)[:most])


def untold() -> list[int]:
    """Sub-workflows that ended while a step still waits for them."""
    waiting = Step.objects.filter(waits_for=Step.WORKFLOW).values("pk")
    return list(Workflow.objects.final().filter(parent_step__in=waiting).values_list("pk", flat=True))


def orphans(most: int) -> list[int]:
    """Active sub-workflows whose step has ended, or goes on without them."""
    return list(_unawaited().values_list("pk", flat=True)[:most])


def _unawaited() -> QuerySet[Workflow]:
    """Active ones that `is_awaited` is not true of."""
    parts = Workflow.objects.active().filter(parent_step__isnull=False)
    parts = parts.annotate(awaited_by=Cast(KeyTextTransform(ATTEMPT, "metadata"), IntegerField()))
    return parts.exclude(parent_step__waits_for=Step.WORKFLOW, parent_step__attempt=F("awaited_by"))


def _version(slug: str, number: int | None) -> TemplateVersion:
    published = Template.objects.published()
    template = published.select_related("current").filter(slug=slug).first()
    if template is None or template.current is None:
        raise Fail(f"There is no template '{slug}'{did_you_mean(slug, published.values_list('slug', flat=True)[:1000])}")
    wanted = template.current.number if number is None else number
    version = template.versions.select_related("template", "definition").filter(number=wanted).first()
    if version is None:
        raise Fail(f"Template '{slug}' has no version {number}")
    return version


def _accepted(version: TemplateVersion, params: Any) -> dict[str, Any]:
    try:
        return accept(version.params_schema, params)
    except InvalidParams as error:
        raise Fail(f"Template '{version.template.slug}' does not take these params: {error}") from None


def _answer(child: Workflow) -> dict[str, Any]:
    said = {"workflowId": str(child.uid), "status": child.status, "error": child.error}
    size, most = size_of_output(child), settings.ENV.max_output_bytes
    if size > most:
        return {**said, "tooLarge": f"{size:,} bytes of output; at most {most:,} are handed on (MAX_OUTPUT_BYTES)"}
    return {**said, "output": output_of(child)}
