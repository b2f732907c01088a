"""Archives for tests: everything exported, everything forgotten, everything read back; and files that somebody wrote by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.factories import NOW
from workflows_app.engine import report
from workflows_app.engine.archive import exporting, importing
from workflows_app.engine.archive.importing import Imported
from workflows_app.models import Attempt, Definition, LogLine, Notification, Step, Subscription, Workflow

UID = "0f8b7d3e-9c1a-4b5e-8f60-2a7c1d9e4b11"
OTHER = "1a8b7d3e-9c1a-4b5e-8f60-2a7c1d9e4b12"
AT = "2026-11-20T08:00:00+00:00"
LATER = "2026-11-20T08:00:05+00:00"


def forget_all() -> None:
    """Empty the database of workflows and their graphs; templates stay where they are used."""
    for model in (Notification, Subscription, LogLine, Attempt, Step, Workflow):
        model.objects.all().delete()


def export_all(path: Path) -> list[exporting.Exported]:
    return list(exporting.export(path=path))


def import_all(path: Path) -> dict[str, Imported]:
    return {result.id: result for result in importing.read_all(path=path, now=NOW)}


def moved(path: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Export all, forget all, import all: the JSON of each workflow before and after."""
    uids = [str(uid) for uid in Workflow.objects.values_list("uid", flat=True)]
    before = {uid: report.workflow(uid, now=NOW) for uid in uids}
    assert not [result for result in export_all(path) if result.refused or result.warning]
    forget_all()
    assert {result.refused for result in import_all(path).values()} == {""}
    return {uid: (before[uid], report.workflow(uid, now=NOW)) for uid in uids}


def a_step_state(id: str = "fetch", **changes: Any) -> dict[str, Any]:
    """As an earlier engine kept it."""
    return {
        "id": id, "name": id, "action": "input", "status": "COMPLETED", "dependencies": [], "outputs": {"n": 1}, "error": None,
        "startTime": AT, "endTime": LATER, "duration": "5 sec", "logs": [], "metadata": None, **changes,
    }  # fmt: skip


def a_state(*steps: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """As an earlier engine kept it: one completed step unless told otherwise."""
    return {
        "id": UID, "name": "Nightly", "status": "COMPLETED", "steps": list(steps) or [a_step_state()], "createdAt": AT, "updatedAt": LATER,
        "description": None, "tags": None, "progress": 100, "parentId": None, "branches": None, "metrics": None, **changes,
    }  # fmt: skip


def a_graph(*nodes: Mapping[str, Any]) -> dict[str, Any]:
    """definition.json, as it fits `a_state()` unless told otherwise."""
    return {"nodes": list(nodes) or [{"id": "fetch", "action": "input"}]}


def put(path: Path, state: Any, *, name: str = "", definition: Any = None) -> Path:
    """A directory with these files; text and bytes as they are, everything else as JSON."""
    directory = path / (name or (state.get("id") if isinstance(state, dict) else UID) or str(uuid.uuid4()))
    directory.mkdir(parents=True)
    for file, content in (("state.json", state), ("definition.json", definition)):
        if content is not None:
            text = content if isinstance(content, str | bytes) else json.dumps(content)
            (directory / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory


def refusal(path: Path) -> str:
    """Why the only directory of the archive is refused; nothing of it is stored."""
    (result,) = import_all(path).values()
    assert result.kind == "refused", result
    assert not any(model.objects.exists() for model in (Workflow, Step, LogLine, Definition))
    return result.refused
