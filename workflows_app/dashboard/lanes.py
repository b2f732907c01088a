"""Where the rows of the workflow list come from: lanes, each in the order of an index, so that no filter reads a long history.

What no index serves (words of a name, tags, steps, errors) is looked for in the first rows of each lane; what follows is looked
through from there by the page after."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan

from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.time_range import TimeRange
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Step, TemplateVersion, Workflow
from workflows_app.models.workflows import WorkflowQuerySet

UID_START = re.compile(r"[0-9a-f]{4,8}(-[0-9a-f-]{0,27})?|[0-9a-f]{32}", re.IGNORECASE)
MOST_VERSIONS, MOST_WITH_ID = 12, 200
BY_BEGIN, BY_CHANGE, BY_END = ("id",), ("updated_at", "id"), ("ended_at", "id")
Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """`rows` are narrowed by what an index serves, in this descending order; `text` is what no index serves. `is_short`: there are
    so few rows that all are looked through."""

    rows: WorkflowQuerySet
    order: Order
    text: Q | None = None
    is_short: bool = False

    @property
    def is_searched(self) -> bool:
        return self.text is not None and not self.is_short


Group = Sequence[Lane]


def of(filters: Filters, *, now: datetime) -> list[Group]:
    """Groups of lanes, one after the other; the lanes of a group have one order and are merged. Active ones come before
    ended ones, which are in the order of their ends; without status or time, all are in the order in which they began."""
    if filters.finds_nothing:
        return []
    known = _Known.of(filters, filters.between(now))
    if known.parents is not None:
        return [[Lane(_one_by_one(known), BY_BEGIN, known.text, is_short=True)]]
    groups = [_all(known)] if not (known.statuses or known.times.is_set or known.is_waiting) else [_active(known), _ended(known)]
    return [_with_ids(group, known) for group in groups if group]


@dataclass(frozen=True, slots=True)
class _Known:
    """The filters as the database understands them."""

    statuses: set[Status]
    is_waiting: bool
    times: TimeRange
    versions: list[int] | None
    parents: list[int] | None
    text: Q | None
    text_of_ids: Q | None
    ids: list[int] | None
    is_whole_id: bool

    @classmethod
    def of(cls, filters: Filters, times: TimeRange) -> _Known:
        words, query = filters.query.values(""), filters.query
        rest = [_tagged(tag) for tag in filters.tags] + [_has_step(step) for step in query.values("step")]
        rest += [Q(error__icontains=error) for error in query.values("error")]
        names = [Q(name__icontains=word) for word in words]
        return cls(
            statuses={Status.FAILED} if query.values("error") else filters.statuses,  # nothing else has an error to show
            is_waiting=bool(query.values("is")),
            times=times,
            versions=_versions(filters.templates),
            parents=_parents(query.values("parent")),
            text=_every([*names, *rest]),
            text_of_ids=_every([*rest, *(~name for name in names)]),
            is_whole_id=len(words) == 1 and len(words[0].replace("-", "")) == 32,
            ids=_with_id(words[0]) if len(words) == 1 and UID_START.fullmatch(words[0]) else None,
        )


def _all(known: _Known) -> list[Lane]:
    return [Lane(rows, BY_BEGIN, known.text) for rows in _of_versions(Workflow.objects.all(), known.versions)]


def _active(known: _Known) -> list[Lane]:
    wanted = known.statuses & ACTIVE if known.statuses else ACTIVE
    if not wanted:
        return []
    rows = Workflow.objects.active().filter(_in_statuses(wanted), _begun_in(known.times))
    rows = rows.filter(_idle()) if known.is_waiting else rows
    return [Lane(rows if known.versions is None else _only_versions(rows, known.versions), BY_BEGIN, known.text)]


def _only_versions(rows: WorkflowQuerySet, versions: list[int]) -> WorkflowQuerySet:
    """Said so that no index serves it: SQLite would take that of versions, with all that ever ended, before that of active ones."""
    return rows.alias(version=F("template_version_id") + 0).filter(version__in=versions)


def _ended(known: _Known) -> list[Lane]:
    wanted = set() if known.is_waiting else known.statuses & FINAL if known.statuses else FINAL
    order = BY_CHANGE if known.versions is None else BY_END
    found = [Workflow.objects.in_status(status).filter(_between(order[0], known.times)) for status in sorted(wanted)]
    return [Lane(rows, order, known.text) for each in found for rows in _of_versions(each, known.versions)]


def _of_versions(rows: WorkflowQuerySet, versions: list[int] | None) -> list[WorkflowQuerySet]:
    """A lane for each, for an index is in order within one version; many are looked up at once."""
    if versions is None:
        return [rows]
    if len(versions) > MOST_VERSIONS:
        return [rows.filter(template_version__in=versions)]
    return [rows.filter(template_version=version) for version in versions]


def _with_ids(group: Group, known: _Known) -> Group:
    """What begins an id is looked up by the index of ids, however old it is; found by its name, too, it is found there.
    A whole id is no name."""
    if known.ids is None:
        return group
    short = [Lane(lane.rows.filter(pk__in=known.ids), lane.order, known.text_of_ids, is_short=True) for lane in group]
    return short if known.is_whole_id else [*group, *short]


def _one_by_one(known: _Known) -> WorkflowQuerySet:
    """Started again from one workflow, or parts of it: few, so that the rest is looked at in each."""
    rows = Workflow.objects.filter(parent__in=known.parents or [])
    rows = rows.filter(_in_statuses(known.statuses)) if known.statuses else rows
    rows = rows if known.versions is None else rows.filter(template_version__in=known.versions)
    rows = rows.filter(_idle(), ended_at__isnull=True) if known.is_waiting else rows
    ended = Q(ended_at__isnull=False) & _between("updated_at", known.times)
    return rows.filter(ended | Q(ended_at__isnull=True) & _begun_in(known.times)) if known.times.is_set else rows


def _in_statuses(wanted: Collection[Status]) -> Q:
    return Q(status__in=sorted(wanted))


def _idle() -> Q:
    """Nothing of it runs."""
    return ~Q(pk__in=Step.objects.running().order_by().values("workflow_id"))


def _begun_in(times: TimeRange) -> Q:
    """What is still active is in every range that reaches until now."""
    return _between("created_at", times) if times.end else Q()


def _between(column: str, times: TimeRange) -> Q:
    found = Q(**{f"{column}__gte": times.start}) if times.start else Q()
    return found & Q(**{f"{column}__lt": times.end}) if times.end else found


def _every(conditions: Sequence[Q]) -> Q | None:
    found: Q | None = None
    for condition in conditions:
        found = condition if found is None else found & condition
    return found


def _versions(slugs: Sequence[str]) -> list[int] | None:
    """The versions of the one template asked for; of two different ones, none."""
    if not slugs:
        return None
    if len(set(slugs)) > 1:
        return []
    return list(TemplateVersion.objects.filter(template__slug=slugs[0]).order_by("-number").values_list("pk", flat=True))


def _parents(texts: Sequence[str]) -> list[int] | None:
    if not texts:
        return None
    wanted = _every([_uid_begins(text) if UID_START.fullmatch(text) else Q(pk__in=[]) for text in texts])
    return list(Workflow.objects.filter(wanted or Q()).order_by().values_list("pk", flat=True)[:MOST_WITH_ID])


def _with_id(typed: str) -> list[int]:
    """Looked up before, and in no order: SQLite would rather read all of a status than look into the index of ids."""
    return list(Workflow.objects.filter(_uid_begins(typed)).order_by().values_list("pk", flat=True)[:MOST_WITH_ID])


def _uid_begins(typed: str) -> Q:
    """As a range, which every database compares alike and an index serves."""
    digits = typed.replace("-", "")[:32]
    return Q(uid__range=(uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))))


def _has_step(id: str) -> Q:
    return Q(Exists(Step.objects.filter(workflow=OuterRef("pk"), node_id=id).order_by()))


def _tagged(tag: str) -> Q:
    """Tags are a JSON list of strings, so the quoted tag is in its text exactly when the list has it."""
    quoted = json.dumps(tag, ensure_ascii=connection.vendor == "sqlite")
    return Q(GreaterThan(StrIndex(Cast("tags", TextField()), Value(quoted)), 0))


def unknown(filters: Filters) -> Iterator[str]:
    """What names something that is not there, and what is."""
    for slug in filters.templates:
        if not TemplateVersion.objects.filter(template__slug=slug).exists():
            yield f"There is no template “{slug}”, so nothing can match. The list beside the search has all there are."
    for text in filters.query.values("parent"):
        if not _parents([text]):
            yield f"No workflow has an id that begins with “{text}”. Give at least four digits of it after parent:."
