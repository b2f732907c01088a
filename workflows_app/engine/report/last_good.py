"""The last workflow of the same template that completed: what a failed one is compared with."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from workflows_app.graph.statuses import Status
from workflows_app.models import TemplateVersion, Workflow


def last_good(workflow: Workflow) -> Workflow | None:
    """Of any version of its template, ended before this one if it has ended; one look into an index for each version."""
    version = workflow.template_version
    if version is None:
        return None
    done = Workflow.objects.filter(template_version=OuterRef("pk"), status=Status.COMPLETED, ended_at__isnull=False).exclude(pk=workflow.pk)
    done = done.filter(ended_at__lte=workflow.ended_at) if workflow.ended_at else done
    latest = Subquery(done.order_by("-ended_at").values("pk")[:1])
    keys = TemplateVersion.objects.filter(template_id=version.template_id).order_by().annotate(latest=latest).values("latest")
    return (
        Workflow.objects.filter(pk__in=list(keys.values_list("latest", flat=True)))
        .only("uid", "name", "ended_at")
        .order_by("-ended_at")
        .first()
    )
