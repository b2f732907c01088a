"""Vendored files are the ones that the table names, and first paint stays small."""

import gzip
import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
FIRST_PAINT = [
    *("vendor/htmx-4.0.1.min.js", "vendor/htmx-4.0.1.hx-ptag.min.js", "vendor/basecoat-1.0.2.nova.min.css"),
    *("app.css", "live.js", "theme.js", "forms.js"),
]


def test_every_vendored_file_has_the_checksum_that_the_table_states():
    listed = dict(ROW.findall((VENDOR / "README.md").read_text()))
    present = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path.name != "README.md"}
    assert listed == present


def test_scripts_and_styles_of_the_first_paint_are_at_most_60_kb_compressed():
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in FIRST_PAINT) <= 60_000


def test_no_stylesheet_or_script_of_ours_points_to_another_host():
    for name in ("app.css", "live.js", "theme.js", "forms.js"):
        assert "//" not in re.sub(r"^\s*//.*$", "", (STATIC / name).read_text(), flags=re.MULTILINE).replace("http://www.w3.org", "")
