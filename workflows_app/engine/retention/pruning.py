"""One pass: whoever is old goes, then what hung on them, then the space."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from workflows_app.engine.retention import leftovers, removal, space
from workflows_app.engine.retention.pace import Pace
from workflows_app.engine.retention.rules import Rule, rules
from workflows_app.models import LogLine, Step

PAGE = 500


@dataclass
class Pruned:
    """What a pass removed, by the name of the model, and how many bytes the file gave back."""

    counts: Counter[str] = field(default_factory=Counter)
    bytes_given_back: int = 0


class Pruning:
    """Remembers how far each rule has looked, so that those that stay are not looked at every minute; `from_start` forgets that."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._seen: dict[Rule, tuple[datetime, int]] = {}

    def from_start(self) -> None:
        self._seen = {}

    def run(self, *, now: datetime, days: int | None = None, with_leftovers: bool = True) -> Pruned:
        """`days` takes the place of RETENTION_DAYS. Raises Interrupted."""
        self.pace.begin()
        days, pruned = settings.ENV.retention_days if days is None else days, Pruned()
        for rule in rules(days=days):
            while found := self._next(rule, now):
                before = now - timedelta(days=rule.days)
                removal.remove([id for _, id in found], before=before, pace=self.pace, counts=pruned.counts)
                self._seen[rule] = found[-1]
        if with_leftovers:
            before_all = now - timedelta(days=days) if days else None
            leftovers.remove(before=before_all, now=now, pace=self.pace, counts=pruned.counts)
        pruned.bytes_given_back = space.give_back(self.pace)
        return pruned

    def _next(self, rule: Rule, now: datetime) -> list[tuple[datetime, int]]:
        old = rule.old(now=now)
        if seen := self._seen.get(rule):
            old = old.filter(ended_at__gte=seen[0]).exclude(ended_at=seen[0], id__lte=seen[1])
        return [(ended_at, id) for ended_at, id in old.values_list("ended_at", "id")[:PAGE] if ended_at]


def count_old(*, now: datetime, days: int | None = None) -> Counter[str]:
    """What a pass would remove: workflows, and of those that are parts of none their steps and log lines."""
    counts: Counter[str] = Counter()
    for rule in rules(days=settings.ENV.retention_days if days is None else days):
        old = rule.old(now=now).order_by()
        counts["workflow"] += old.count()
        counts["step"] += Step.objects.filter(workflow__in=old.values("pk")).count()
        counts["logline"] += LogLine.objects.filter(step__workflow__in=old.values("pk")).count()
    return counts
