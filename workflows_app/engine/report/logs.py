"""What steps said: the latest lines for a page, and all of them by cursor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from workflows_app.engine.report.find import the_step
from workflows_app.engine.report.times import iso
from workflows_app.models import LogLine

LEVELS = [name for name, _ in LogLine.LEVELS]
MAX_LINES = 1_000
MOST_TALKATIVE = 50


def latest_lines(workflow_ids: Sequence[int], *, per_step: int) -> Mapping[int, list[str]]:
    """Text lines by step, oldest first, without those of elements. A step that said more than `per_step` lines shows the last of
    them, after one line that says how many are left out."""
    return _latest(LogLine.objects.filter(step__workflow_id__in=workflow_ids, step__parent__isnull=True), per_step)


def lines_of(step_ids: Sequence[int], *, per_step: int) -> Mapping[int, list[str]]:
    """The same for these steps."""
    return _latest(LogLine.objects.filter(step_id__in=step_ids), per_step)


def _latest(lines: QuerySet[LogLine], per_step: int) -> Mapping[int, list[str]]:
    lines = lines.order_by("step_id", "id")
    talkative = dict(lines.order_by().values("step_id").annotate(n=Count("id")).filter(n__gt=per_step).values_list("step_id", "n"))
    found: dict[int, list[str]] = defaultdict(list)
    for rows in _shown(lines, talkative, per_step):
        for step_id, at, level, message in rows.values_list("step_id", "at", "level", "message"):
            found[step_id].append(_text(at, level, message))
    for step_id, count in talkative.items():
        found[step_id].insert(0, f"… {count - per_step} earlier lines: GET the step's logs")
    return found


def _shown(lines: QuerySet[LogLine], talkative: Mapping[int, int], per_step: int) -> Iterator[QuerySet[LogLine]]:
    """Of a few talkative steps each one's last lines, by the index; of many all lines are numbered, which costs a pass over every one."""
    if len(talkative) > MOST_TALKATIVE:
        latest = Window(RowNumber(), partition_by="step_id", order_by=F("id").desc())
        yield lines.annotate(latest=latest).filter(latest__lte=per_step)
        return
    yield lines.exclude(step_id__in=list(talkative)) if talkative else lines
    for step_id in talkative:
        last = LogLine.objects.filter(step_id=step_id).order_by("-id")[:per_step].values("id")
        yield LogLine.objects.filter(id__in=last).order_by("id")


def _text(at: datetime, level: str, message: str) -> str:
    return f"{iso(at)} {level} {message}"


def log_lines(uid: object, step_id: str, *, after: int = 0, level: str = "DEBUG", limit: int = MAX_LINES) -> dict[str, Any]:
    """`{"lines": [{"number", "at", "level", "attempt", "message"}], "next"}`: lines of this level and above whose number
    in the step's log is above `after`; `next` is the `after` of the next call. Raises WorkflowNotFound, StepNotFound."""
    numbered = the_step(uid, step_id).log_lines.annotate(number=Window(RowNumber(), order_by="id")).order_by("number")
    rows = list(numbered.filter(_from(level), number__gt=after).values("number", "at", "level", "attempt", "message")[:limit])
    return {"lines": [{**row, "at": iso(row["at"])} for row in rows], "next": rows[-1]["number"] if rows else after}


def _from(level: str) -> Q:
    """No line has the number 0: naming it keeps the level out of the numbering, which must count every line."""
    return Q(level__in=LEVELS[LEVELS.index(level) :]) | Q(number=0)
