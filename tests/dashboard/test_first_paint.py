"""What a page needs before it can be seen is small: its scripts and styles, compressed, on every page."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.factories import a_template, a_workflow

STATIC = Path(__file__).parents[2] / "static"
MOST_BYTES = 60_000
PAGES = [
    "/", "/workflows", "/workflows?status=failed", "/workflows/{uid}", "/workflows/{uid}?view=timeline", "/workflows/{uid}?view=list",
    "/workflows/{uid}?step=fetch", "/templates", "/templates/some", "/templates/some/start", "/schedules", "/approvals", "/events",
    "/notifications", "/workers", "/palette", "/login", "/nowhere",
]  # fmt: skip


def linked(html: str) -> set[str]:
    """The names of our scripts and styles that the page loads."""
    return set(re.findall(r'(?:href|src)="/static/([^"?]+\.(?:css|js))"', html))


@pytest.mark.parametrize("address", PAGES)
def test_scripts_and_styles_of_a_page_are_at_most_60_kb_compressed(reader, address):
    a_template("some")
    uid = a_workflow().uid
    names = linked(reader.get(address.format(uid=uid)).content.decode())
    assert {"app.css", "theme.js", "forms.js"} <= names
    sizes = {name: len(gzip.compress((STATIC / name).read_bytes())) for name in names}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_every_script_but_the_theme_waits_for_the_page(reader):
    html = reader.get(f"/workflows/{a_workflow().uid}").content.decode()
    scripts = re.findall(r'<script src="/static/([^"]+)"([^>]*)>', html)
    assert len(scripts) > 3
    assert [name for name, attributes in scripts if "defer" not in attributes] == ["theme.js"]


def test_no_stylesheet_or_script_of_ours_points_to_another_host():
    ours = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".js"} and "vendor" not in path.parts]
    assert len(ours) > 5
    for path in ours:
        text = re.sub(r"^\s*//.*$|\s//\s.*$|/\*.*?\*/", "", path.read_text(), flags=re.MULTILINE).replace("http://www.w3.org", "")
        assert not re.search(r"https?:|[\"'(]//", text), path.name
