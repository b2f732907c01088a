"""Pages of workflows: filters that a door may offer, newest change first, by keyset cursor."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, StrIndex

from workflows_app.engine.report.times import iso
from workflows_app.engine.report.workflows import workflows
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Workflow
from workflows_app.models.workflows import WorkflowQuerySet


class BadCursor(ValueError):
    """The cursor was not made by this list."""

    def __init__(self) -> None:
        super().__init__("this is no cursor of this list: take it from the Link header of the page before")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is empty filters nothing. `q` looks in names, and finds a workflow by the start of its id."""

    statuses: Sequence[str] = ()
    template: str = ""
    tag: str = ""
    q: str = ""
    parent: uuid.UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def apply(self, found: WorkflowQuerySet) -> WorkflowQuerySet:
        exact = {
            "status__in": list(self.statuses),
            **self._ended(),
            "template_version__template__slug": self.template,
            "parent__uid": self.parent,
            "created_at__gt": self.created_after,
            "created_at__lt": self.created_before,
        }
        found = found.filter(**{key: value for key, value in exact.items() if value not in ("", [], None)})
        found = found.filter(self._text()) if self.q else found
        return _tagged(found, self.tag) if self.tag else found

    def _ended(self) -> dict[str, bool]:
        """Only ended or only active ones, said so that a partial index can be chosen: a list of statuses proves nothing to SQLite."""
        wanted = {status in FINAL for status in self.statuses}
        return {"ended_at__isnull": not wanted.pop()} if len(wanted) == 1 else {}

    def _text(self) -> Q:
        return Q(name__icontains=self.q) | Q(uid__startswith=self.q.replace("-", "") if _has_plain_uuids() else self.q)


@dataclass(frozen=True, slots=True)
class Page:
    """Workflows as JSON, and the cursor of the page after; None on the last."""

    workflows: list[dict[str, Any]]
    cursor: str | None


def search(*, filters: Filters, limit: int, cursor: str | None = None) -> Page:
    """Raises BadCursor."""
    rows, following = search_rows(filters=filters, limit=limit, cursor=cursor)
    return Page(workflows(rows), following)


def search_rows(*, filters: Filters, limit: int, cursor: str | None = None) -> tuple[WorkflowQuerySet, str | None]:
    """The same page as rows, for doors that show them otherwise. Raises BadCursor."""
    found = filters.apply(Workflow.objects.newest_first())
    found = _after(found, cursor) if cursor else found
    keys = list(found.values_list("pk", "updated_at", "uid")[: limit + 1])
    page = Workflow.objects.newest_first().filter(pk__in=[key[0] for key in keys[:limit]])
    return page, _cursor(*keys[limit - 1][1:]) if len(keys) > limit else None


def _after(found: WorkflowQuerySet, cursor: str) -> WorkflowQuerySet:
    """Written so that the index on (updated_at, id) can seek."""
    updated_at, uid = _parse(cursor)
    last = Workflow.objects.filter(uid=uid).values("pk")
    return found.filter(updated_at__lte=updated_at).filter(Q(updated_at__lt=updated_at) | Q(pk__lt=last))


def _cursor(updated_at: datetime, uid: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps([iso(updated_at), str(uid)]).encode()).decode().rstrip("=")


def _parse(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        updated_at, uid = json.loads(text)
        moment = datetime.fromisoformat(updated_at)
        return moment, uuid.UUID(uid)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadCursor from None


def _has_plain_uuids() -> bool:
    """SQLite keeps a UUID as 32 digits, PostgreSQL compares it with its dashes."""
    return not connection.features.has_native_uuid_field


def _tagged(found: WorkflowQuerySet, tag: str) -> WorkflowQuerySet:
    """Tags are a JSON list of strings, so the quoted tag is in its text exactly when the list has it."""
    quoted = json.dumps(tag, ensure_ascii=connection.vendor == "sqlite")
    return found.annotate(tag_at=StrIndex(Cast("tags", TextField()), Value(quoted))).filter(tag_at__gt=0)
