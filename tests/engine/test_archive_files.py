"""The files of an archive: no link is followed, nothing foreign is overwritten, a write is whole or was not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.archives import OTHER, UID, a_graph, a_state, export_all, import_all, put, refusal
from tests.factories import a_workflow
from workflows_app.engine.archive import exporting, files
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db


def test_a_directory_without_a_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / UID).mkdir()
    assert refusal(tmp_path) == "state.json: is missing"


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
def test_a_link_to_a_file_elsewhere_is_not_followed(tmp_path: Path, file: str) -> None:
    directory = put(tmp_path / "archive", a_state(), definition=a_graph())
    (directory / file).rename(tmp_path / "elsewhere")
    (directory / file).symlink_to(tmp_path / "elsewhere")
    assert refusal(tmp_path / "archive").startswith(f"{file}: cannot be read (")


def test_a_link_to_a_directory_elsewhere_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", a_state())
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / UID).symlink_to(tmp_path / "elsewhere" / UID)
    assert refusal(tmp_path / "archive") == f"{UID}: is no directory (links are not followed)"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_refused_and_holds_nobody_up(tmp_path: Path, make: Any) -> None:
    (tmp_path / UID).mkdir()
    make(tmp_path / UID / "state.json")
    assert "is no regular file" in refusal(tmp_path)


def test_a_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    """Sparse: it takes no place on the disk, and reading stops at the limit."""
    with (put(tmp_path, a_state()) / "state.json").open("r+b") as file:
        file.truncate(100_000_000)
    assert refusal(tmp_path) == "state.json: is larger than 32,000,000 bytes, the most that is read"


def test_nothing_leaves_the_archive_when_a_directory_there_is_a_link(tmp_path: Path) -> None:
    workflow = a_workflow()
    (tmp_path / "outside").mkdir()
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / str(workflow.uid)).symlink_to(tmp_path / "outside")
    (result,) = export_all(tmp_path / "archive")
    assert "links are not followed" in result.refused and not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
def test_nothing_is_written_through_a_link_in_place_of_a_file(tmp_path: Path, file: str) -> None:
    workflow = a_workflow()
    export_all(tmp_path / "archive")
    place, outside = tmp_path / "archive" / str(workflow.uid) / file, tmp_path / "outside"
    outside.write_text("mine")
    place.unlink()
    place.symlink_to(outside)
    (result,) = export_all(tmp_path / "archive")
    assert file in result.refused and outside.read_text() == "mine" and place.is_symlink()


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
@pytest.mark.parametrize("content", ["mine", "", json.dumps({"id": OTHER})])
def test_a_foreign_file_is_left_as_it_is(tmp_path: Path, file: str, content: str) -> None:
    directory = tmp_path / str(a_workflow().uid)
    directory.mkdir()
    (directory / file).write_text(content)
    (result,) = export_all(tmp_path)
    assert result.refused == f"{file}: is there already and not of this workflow: it is left as it is"
    assert [(found.name, found.read_text()) for found in directory.iterdir()] == [(file, content)]


def test_a_file_in_place_of_the_directory_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / str(a_workflow().uid)
    place.write_text("mine")
    other = a_workflow()
    first, second = export_all(tmp_path)
    assert "is no directory" in first.refused and place.read_text() == "mine"
    assert second.id == str(other.uid) and not second.refused, "the others are written"


def test_an_earlier_export_of_the_same_workflow_is_replaced(tmp_path: Path) -> None:
    workflow = a_workflow(name="before")
    export_all(tmp_path)
    Workflow.objects.update(name="after")
    (result,) = export_all(tmp_path)
    assert not result.refused and '"name": "after"' in (tmp_path / str(workflow.uid) / "state.json").read_text()


def test_the_state_of_the_earlier_engine_is_replaced_too(tmp_path: Path) -> None:
    """It writes the id first as well, with an indent of its own."""
    put(tmp_path, json.dumps(a_state(), indent=2), name=UID)
    import_all(tmp_path)
    (result,) = export_all(tmp_path)
    assert not result.refused and json.loads((tmp_path / UID / "state.json").read_text())["templateId"] is None


def test_a_write_that_breaks_off_leaves_the_earlier_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = a_workflow()
    export_all(tmp_path)
    place = tmp_path / str(workflow.uid)
    before = (place / "state.json").read_bytes()

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "rename", broken)
    with pytest.raises(OSError, match="No space left"):
        export_all(tmp_path)
    assert (place / "state.json").read_bytes() == before
    assert sorted(file.name for file in place.iterdir()) == ["definition.json", "state.json"]


def test_what_is_written_is_for_its_owner_only(tmp_path: Path) -> None:
    """Parameters and outputs may be anybody's secret."""
    uid = str(a_workflow().uid)
    export_all(tmp_path / "new")
    places = [tmp_path / "new", tmp_path / "new" / uid, tmp_path / "new" / uid / "state.json"]
    assert [oct(place.stat().st_mode & 0o777) for place in places] == ["0o700", "0o700", "0o600"]


def test_one_that_is_too_large_to_be_imported_is_written_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_workflow()
    monkeypatch.setattr(exporting.files, "MAX_STATE_BYTES", 100)
    (result,) = export_all(tmp_path)
    assert (result.refused, result.warning) == ("", "is larger than an import reads")
