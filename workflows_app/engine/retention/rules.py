"""Who is old enough: ended workflows, by what their template says or else the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from workflows_app.models import TemplateVersion, Workflow


@dataclass(frozen=True, slots=True)
class Rule:
    """Workflows of templates that say `own_days` (None: that say nothing, or of none) go after `days`."""

    days: int
    own_days: int | None = None

    def old(self, *, now: datetime) -> QuerySet[Workflow]:
        """In the order in which they ended. What is a part of another goes with the whole."""
        said = TemplateVersion.objects.filter(retention_days__isnull=False)
        if self.own_days is not None:
            whose = Q(template_version__in=said.filter(retention_days=self.own_days).values("pk"))
        else:
            whose = Q(template_version__isnull=True) | ~Q(template_version__in=said.values("pk"))
        before = now - timedelta(days=self.days)
        return Workflow.objects.final().filter(whose, ended_at__lt=before, root__isnull=True).order_by("ended_at", "id")


def rules(*, days: int) -> list[Rule]:
    """Those of templates and, unless `days` is 0, that of the others."""
    own = (
        TemplateVersion.objects.filter(retention_days__gt=0).order_by("retention_days").values_list("retention_days", flat=True).distinct()
    )
    return [*(Rule(said, said) for said in own if said), *([Rule(days)] if days else [])]
