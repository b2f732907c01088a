"""Write workflows to files: their JSON as the API answers it, and the definition that lets an import run them again."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows_app.engine import report
from workflows_app.engine.archive import files
from workflows_app.engine.archive.files import DEFINITION, STATE, Unfit
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report.logs import MAX_LINES
from workflows_app.models import Workflow
from workflows_app.models.workflows import WorkflowQuerySet

PAGE = 10


@dataclass(frozen=True, slots=True)
class Exported:
    """One workflow; `refused` says why nothing was written, `warning` what is the matter with what was."""

    id: str
    refused: str = ""
    warning: str = ""


def export(*, path: Path, filters: report.Filters | None = None, ids: Sequence[uuid.UUID] = ()) -> Iterator[Exported]:
    """Every workflow that the filters let through (with `ids`, of these), in the order they were made, a page in memory at a time.
    Directories and files are for their owner only. Raises OSError when the disk or its rights do not allow it."""
    found = Workflow.objects.filter(uid__in=list(ids)) if ids else Workflow.objects.all()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with files.opened(path) as archive:
        for page in _pages((filters or report.Filters()).apply(found)):
            digests = {str(uid): digest for uid, digest in page.values_list("uid", "definition_id")}
            for workflow in report.workflows(page, lines_per_step=MAX_LINES):
                yield _export(archive, workflow, compiled(digests[workflow["id"]]).text)


def _pages(found: WorkflowQuerySet) -> Iterator[WorkflowQuerySet]:
    """By key, up to the newest that there is now: what changes or starts meanwhile moves nothing to another page."""
    newest, after = Workflow.objects.order_by("-pk").values_list("pk", flat=True).first() or 0, 0
    while keys := list(found.filter(pk__gt=after, pk__lte=newest).order_by("pk").values_list("pk", flat=True)[:PAGE]):
        yield Workflow.objects.filter(pk__in=keys).order_by("pk")
        after = keys[-1]


def _export(archive: int, workflow: dict[str, Any], definition: str) -> Exported:
    """The definition comes first: where a state is, its definition is too, whatever happened in between."""
    id, graph, state = workflow["id"], definition.encode(), json.dumps(workflow, ensure_ascii=False, indent=2).encode()
    try:
        with files.made(archive, id) as directory:
            if not _has(directory, id, graph):
                files.write(directory, DEFINITION, graph)
            files.write(directory, STATE, state)
    except Unfit as error:
        return Exported(id, refused=str(error))
    too_large = len(state) > files.MAX_STATE_BYTES or len(graph) > files.MAX_DEFINITION_BYTES
    return Exported(id, warning="is larger than an import reads" if too_large else "")


def _has(directory: int, id: str, definition: bytes) -> bool:
    """Whether the definition is there. Raises Unfit when a file is there that is not of this workflow: it is not overwritten."""
    earlier = files.head(directory, STATE, size=200)
    if earlier is not None and not re.match(rb'\s*\{\s*"id"\s*:\s*"%s"' % id.encode(), earlier):
        raise Unfit(STATE, "is there already and not of this workflow: it is left as it is")
    kept = files.read(directory, DEFINITION, most=files.MAX_DEFINITION_BYTES)
    if kept is not None and kept != definition:
        raise Unfit(DEFINITION, "is there already and not of this workflow: it is left as it is")
    return kept is not None
