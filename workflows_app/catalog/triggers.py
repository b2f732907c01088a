"""Which templates an event may start, and what each says to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from workflows_app.dialects.params import InvalidParams, accept
from workflows_app.engine.clock import now_and
from workflows_app.engine.sql.statements import for_vendor
from workflows_app.engine.sql.transaction import ask
from workflows_app.graph.conditions import ConditionError, holds, share
from workflows_app.models import TemplateVersion

Json = Any
_known: dict[int, TemplateVersion] = {}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one template says to an event: it starts with `params`, as the workflow `workflow_uid`; or `reason` tells why it does not."""

    version: TemplateVersion
    is_matched: bool
    reason: str | None = None
    params: Mapping[str, Json] | None = None
    workflow_uid: uuid.UUID | None = None

    def as_json(self) -> dict[str, Json]:
        template = self.version.template
        return {
            "template": template.slug,
            "name": template.name,
            "version": self.version.number,
            "matched": self.is_matched,
            "reason": self.reason,
            "workflowId": str(self.workflow_uid) if self.workflow_uid else None,
        }


def triggered() -> list[TemplateVersion]:
    """The current version of every published template with a trigger, by slug."""
    (rows,) = ask(for_vendor(connection.vendor).triggered_versions)
    return _versions([row[0] for row in rows])


def triggered_now() -> tuple[list[TemplateVersion], datetime]:
    """The same, and the database's time, for one answer of the database."""
    now, (rows,) = now_and(for_vendor(connection.vendor).triggered_versions)
    return _versions([row[0] for row in rows]), now


def _versions(ids: Sequence[int]) -> list[TemplateVersion]:
    """The ids are read each time; what is behind an id never changes (a published change is another version), so that is kept."""
    global _known  # noqa: PLW0603  replaced as a whole, so that threads see the old or the new one
    known = _known
    if missing := [id for id in ids if id not in known]:
        read = TemplateVersion.objects.select_related("template", "definition").defer("source").in_bulk(missing)
        _known = known = {id: version for id in ids if (version := read.get(id) or known.get(id))}
    return [known[id] for id in ids if id in known]


def judge(versions: Sequence[TemplateVersion], payload: Json, *, chain_depth: int, max_chain: int) -> list[Verdict]:
    too_deep = f"chain depth {chain_depth} is above {max_chain}" if chain_depth > max_chain else None
    return [_judge(version, payload, too_deep, work=share(len(versions))) for version in versions]


def _judge(version: TemplateVersion, payload: Json, too_deep: str | None, *, work: int) -> Verdict:
    try:
        if not holds(version.trigger, payload, work=work):
            return Verdict(version, False, "the trigger is not true")
        if too_deep:
            return Verdict(version, True, too_deep)
        return Verdict(version, True, params=accept(version.params_schema, payload), workflow_uid=uuid.uuid4())
    except ConditionError as error:
        why = str(error).removeprefix("the condition cannot be computed: ").replace("the condition", "the trigger")
        return Verdict(version, False, f"the trigger cannot be computed: {why}")
    except InvalidParams as error:
        return Verdict(version, True, f"the payload does not fit: {error}")
