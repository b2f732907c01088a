"""Read workflows back from files: each directory alone, in one transaction, or not at all."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from django.db import DataError, IntegrityError

from workflows_app.engine import definitions
from workflows_app.engine.archive import files, graphs, rows
from workflows_app.engine.archive.documents import State
from workflows_app.engine.archive.files import DEFINITION, STATE, Unfit
from workflows_app.engine.archive.reading import document
from workflows_app.engine.sql.transaction import write
from workflows_app.graph.definition import Definition
from workflows_app.graph.statuses import Status
from workflows_app.models import LogLine, Step, TemplateVersion, Workflow

Orphans = defaultdict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one directory; `stopped` is one that had not ended and that a resume starts, `refused` says why nothing is stored."""

    id: str
    kind: Literal["imported", "stopped", "existing", "refused"]
    refused: str = ""
    is_runnable: bool = True


@dataclass(frozen=True, slots=True)
class Parcel:
    """One directory, read and checked."""

    state: State
    definition: Definition
    is_rebuilt: bool


def read_all(*, path: Path, now: datetime) -> Iterator[Imported]:
    """Every directory of the archive that is named by a UUID, in order of their names. Whoever is imported before its parent is
    linked when that is. Raises OSError when the archive cannot be opened."""
    orphans: Orphans = defaultdict(list)
    with files.opened(path) as archive:
        for id in files.names(archive):
            try:
                yield _exists(id) or _store(_parcel(archive, id), orphans, now)
            except Unfit as error:
                yield Imported(id, "refused", str(error))


def _exists(id: str) -> Imported | None:
    return Imported(id, "existing") if Workflow.objects.filter(uid=id).exists() else None


def _parcel(archive: int, id: str) -> Parcel:
    with files.inside(archive, id) as directory:
        data = files.read(directory, STATE, most=files.MAX_STATE_BYTES)
        definition = files.read(directory, DEFINITION, most=files.MAX_DEFINITION_BYTES)
    if data is None:
        raise Unfit(STATE, "is missing")
    state = document(State, data, STATE)[0]
    if state.id != id:
        raise Unfit(STATE, f"is {state.id}, and its directory {id}", field="id")
    if state.parent_id == id:
        raise Unfit(STATE, "a workflow is not its own parent", field="parentId")
    graph = graphs.rebuilt(state) if definition is None else graphs.stored(definition, state)
    return Parcel(state, graph, definition is None)


def _store(parcel: Parcel, orphans: Orphans, now: datetime) -> Imported:
    steps = rows.steps(parcel.state, parcel.definition)
    workflow = rows.workflow(parcel.state, parcel.definition, steps, is_rebuilt=parcel.is_rebuilt)
    try:
        with write():
            _insert(parcel, workflow, steps, now)
            Workflow.objects.filter(uid__in=orphans.get(parcel.state.id, ()), parent=None).update(parent=workflow)
    except (IntegrityError, DataError) as error:  # somebody else imported it just now, or it has what no column takes
        if existing := _exists(parcel.state.id):
            return existing
        raise Unfit(STATE, f"the database does not take it: {str(error).splitlines()[0]}") from None
    if parcel.state.parent_id and workflow.parent is None:
        orphans[parcel.state.parent_id].append(parcel.state.id)
    is_cut_short = workflow.status == Status.STOPPED != parcel.state.status
    return Imported(parcel.state.id, "stopped" if is_cut_short else "imported", is_runnable=not parcel.is_rebuilt)


def _insert(parcel: Parcel, workflow: Workflow, steps: Sequence[Step], now: datetime) -> None:
    state = parcel.state
    workflow.definition = definitions.store(definition=parcel.definition, now=now)
    workflow.template_version = _template_version(state)
    workflow.parent = Workflow.objects.filter(uid=uuid.UUID(state.parent_id)).first() if state.parent_id else None
    workflow.save(force_insert=True)
    for step in steps:
        step.workflow = workflow
    Step.objects.bulk_create(steps, batch_size=100)
    LogLine.objects.bulk_create(rows.log_lines(state, {step.node_id: step for step in steps}), batch_size=500)


def _template_version(state: State) -> TemplateVersion | None:
    """The version of that number, if the template is here and has it."""
    if state.template_id is None or state.template_version is None:
        return None
    return TemplateVersion.objects.filter(template__slug=state.template_id, number=state.template_version).first()
