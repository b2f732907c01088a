"""The filters of the workflow list. They live in the URL, so that back, reload and a sent link keep them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict

from workflows_app.dashboard.looks import LOOKS, status_named
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models.workflows import WorkflowQuerySet

UID_START = re.compile(r"[0-9a-f]{4,8}(-[0-9a-f-]{0,27})?", re.IGNORECASE)
KEYS = ("status", "template", "q")


@dataclass(frozen=True, slots=True)
class Filters:
    """`status` is the word of the URL; an unknown one filters nothing. `after` is the uid of the last row seen."""

    status: str = ""
    template: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        known = status_named(query.get("status", ""))
        words = {key: query.get(key, "").strip()[:200] for key in ("template", "q", "after")}
        return cls(status=LOOKS[known].css if known else "", **words)

    @property
    def wanted(self) -> Status | None:
        return status_named(self.status)

    @property
    def are_set(self) -> bool:
        return any(getattr(self, key) for key in KEYS)

    def url(self, **changes: str) -> str:
        """The list's URL with these changes; a change of filter starts again at the newest."""
        changed = replace(self, **{"after": "", **changes})
        query = {key: getattr(changed, key) for key in (*KEYS, "after") if getattr(changed, key)}
        return f"?{urlencode(query)}" if query else "?"

    def without(self) -> list[tuple[str, str]]:
        """`(what is dropped, URL)` for each filter that is set."""
        return [(f"{key} “{getattr(self, key)}”", self.url(**{key: ""})) for key in KEYS if getattr(self, key)]

    def select(self, workflows: WorkflowQuerySet) -> WorkflowQuerySet:
        if self.wanted:
            workflows = workflows.in_status(self.wanted)
        if self.template:
            workflows = workflows.filter(template_version__template__slug=self.template)
        return workflows.filter(self._text()) if self.q else workflows

    def _text(self) -> Q:
        by_name = Q(name__icontains=self.q)
        return by_name | _uid_begins(self.q) if UID_START.fullmatch(self.q) else by_name

    def order(self) -> tuple[str, ...]:
        """Newest first, in an order in which no row moves while its steps run: ended ones by when they ended, others by when they began."""
        return ("-updated_at", "-id") if self.wanted in FINAL else ("-id",)


def _uid_begins(typed: str) -> Q:
    """As a range, which every database compares alike and an index serves."""
    digits = typed.replace("-", "")[:32]
    return Q(uid__range=(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
