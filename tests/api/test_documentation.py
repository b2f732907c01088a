"""docs/api.md against the API: every operation has its curl line, and no line leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from workflows_app.api import api

TEXT = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()
NAMES = {"$ID": "{workflow_id}", "98e6017e-4e8d-4e98-b817-5455b96b392e": "{workflow_id}", "greet": "{step_id}"}


def documented() -> set[tuple[str, str]]:
    found = set()
    for line in re.findall(r"^.*curl .*\$B/api/.*$", TEXT, re.MULTILINE):
        method = re.search(r"-X (\w+)", line)
        path = re.search(r"\$B(/api/[^\s\"'?#]*)", line)
        assert path
        found.add(((method[1] if method else "GET"), generic(path[1])))
    return found


def generic(path: str) -> str:
    parts = [NAMES.get(part, part) for part in path.split("/")]
    if parts[2] == "templates" and len(parts) > 3:
        parts[3] = "{slug}"
    return "/".join(parts)


def test_the_page_shows_exactly_the_operations_there_are() -> None:
    paths = api.get_openapi_schema()["paths"]
    assert documented() == {(method.upper(), path) for path, methods in paths.items() for method in methods}
