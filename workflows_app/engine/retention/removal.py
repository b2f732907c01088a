"""Remove workflows that ended, with their parts and all that was recorded of them, from the leaves up.

A process that dies in between leaves a workflow with fewer log lines, attempts or steps, marked so that nobody begins it again; the next
look goes on where it stopped, for the row of the workflow goes last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import Count, QuerySet

from workflows_app.engine.locking import under_lock
from workflows_app.engine.retention.pace import Pace
from workflows_app.engine.sql.tables import REMOVED
from workflows_app.models import Attempt, LogLine, Notification, NotificationRead, Repair, Step, Subscription, Workflow

PACK = 200
RECORDS = (LogLine, Attempt, Subscription)


def remove(root_ids: Sequence[int], *, before: datetime, pace: Pace, counts: Counter[str]) -> None:
    """Of these workflows those that ended before that moment, and with them their parts. One that has an active part stays."""
    busy = set(Workflow.objects.active().filter(root_id__in=root_ids).values_list("root_id", flat=True))
    parts = _parts([id for id in root_ids if id not in busy])
    sizes = _sizes(list(parts))
    light = [id for id in parts if not parts[id] and sizes[id] < pace.size]
    for ids in _packs(light, sizes, pace):
        _remove_at_once(ids, before, pace, counts)
    for id in parts.keys() - set(light):
        _remove_slowly(id, parts[id], before, pace, counts)


def _parts(root_ids: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {id: [] for id in root_ids}
    for id, root_id in Workflow.objects.filter(root_id__in=root_ids).order_by("-depth", "id").values_list("id", "root_id"):
        found[root_id or 0].append(id)
    return found


def _sizes(ids: Sequence[int]) -> Counter[int]:
    """How many rows hang on each of these workflows, about."""
    sizes: Counter[int] = Counter(ids)
    for rows, key in ((Step.objects, "workflow_id"), (LogLine.objects, "step__workflow_id")):
        found = rows.filter(**{f"{key}__in": ids}).order_by().values(key).annotate(count=Count("pk"))
        sizes.update(dict(found.values_list(key, "count")))
    return sizes


def _packs(ids: Sequence[int], sizes: Mapping[int, int], pace: Pace) -> Iterator[list[int]]:
    """As many small ones together as one transaction takes."""
    pack: list[int] = []
    rows = 0
    for id in ids:
        if pack and (rows + sizes[id] > pace.size or len(pack) == PACK):
            yield pack
            pack, rows = [], 0
        pack.append(id)
        rows += sizes[id]
    if pack:
        yield pack


def _remove_slowly(id: int, parts: Sequence[int], before: datetime, pace: Pace, counts: Counter[str]) -> None:
    """One with more than a transaction takes: marked first, its parts before itself."""
    with pace.short():
        whole = under_lock(Workflow.objects.final().filter(pk=id, ended_at__lt=before)).first()
        if whole is None or Workflow.objects.active().filter(root_id=id).exists():
            return
        Workflow.objects.filter(pk=id).update(metadata={**whole.metadata, REMOVED: True})
    for start in range(0, len(parts), PACK):
        _remove_rows(parts[start : start + PACK], pace, counts)
    _remove_rows([id], pace, counts)


def _remove_rows(ids: Sequence[int], pace: Pace, counts: Counter[str]) -> None:
    for model in RECORDS:
        _remove_all(model.objects.filter(step__workflow_id__in=ids), pace, counts)
    for steps in (Step.objects.filter(workflow_id__in=ids, parent__isnull=False), Step.objects.filter(workflow_id__in=ids)):
        while found := _first(steps, pace.size):
            with pace.short():
                _remove_steps(found, counts)
    left = list(ids)
    while left:
        size = max(1, min(pace.size, len(left)))
        with pace.short():
            _remove_workflows(left[:size], counts)
        del left[:size]


def _remove_all(rows: QuerySet[LogLine] | QuerySet[Attempt] | QuerySet[Subscription], pace: Pace, counts: Counter[str]) -> None:
    while found := _first(rows, pace.size):
        with pace.short():
            counts[rows.model._meta.model_name or ""] += rows.model._default_manager.filter(pk__in=found)._raw_delete("default")


def _first(rows: QuerySet[LogLine] | QuerySet[Attempt] | QuerySet[Subscription] | QuerySet[Step], most: int) -> list[int]:
    """Looked for before the lock is taken: nobody adds to what has ended."""
    return list(rows.order_by().values_list("pk", flat=True)[:most])


def _remove_at_once(ids: Sequence[int], before: datetime, pace: Pace, counts: Counter[str]) -> None:
    with pace.short():
        old = list(under_lock(Workflow.objects.final().filter(pk__in=ids, ended_at__lt=before).order_by("id")).values_list("pk", flat=True))
        steps = list(Step.objects.filter(workflow_id__in=old).order_by().values_list("pk", flat=True))
        if steps:
            _remove_steps(steps, counts)
        if old:
            _remove_workflows(old, counts)


def _remove_steps(ids: Sequence[int], counts: Counter[str]) -> None:
    for model in RECORDS:
        counts[model._meta.model_name or ""] += model._default_manager.filter(step_id__in=ids)._raw_delete("default")
    Workflow.objects.filter(parent_step_id__in=ids).update(parent_step=None)
    counts["step"] += Step.objects.filter(pk__in=ids)._raw_delete("default")


def _remove_workflows(ids: Sequence[int], counts: Counter[str]) -> None:
    """Their notifications go with them; repairs stay as a sign, and those that were started from them forget it."""
    notices = Notification.objects.filter(workflow_id__in=ids)
    NotificationRead.objects.filter(notification__in=notices.values("pk"))._raw_delete("default")
    counts["notification"] += notices._raw_delete("default")
    Repair.objects.filter(workflow_id__in=ids).update(workflow=None)
    Workflow.objects.filter(parent_id__in=ids).update(parent=None)
    Workflow.objects.filter(root_id__in=ids).update(root=None)
    counts["workflow"] += Workflow.objects.filter(pk__in=ids)._raw_delete("default")
