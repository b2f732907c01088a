"""Vendored files are the ones that the table names."""

import hashlib
import re
from pathlib import Path

from tests.dashboard import kit

STATIC = Path(__file__).parents[2] / "static"
VENDOR = STATIC / "vendor"
COMPONENTS = sorted((STATIC.parent / "templates" / "cotton").glob("*.html"))
MADE = {"README.md", kit.PARTS.name}
ROW = re.compile(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_vendored_file_has_the_checksum_that_the_table_states():
    listed = dict(ROW.findall((VENDOR / "README.md").read_text()))
    present = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path.name not in MADE}
    assert listed == present


def test_the_parts_of_the_kit_are_what_the_program_picks():
    assert kit.parts(kit.WHOLE.read_text()) == kit.PARTS.read_text()


def test_rules_for_what_nobody_wears_are_left_out_and_all_others_stay_in_their_order():
    css = "@layer a{.btn:hover,.card>p{color:red}.card{x:y}}a{b:c}@media (x){.tabs{d:e}}.btn:not(.card){f:g}:is(.card,.dialog)>*{h:i}"
    assert kit.parts(css) == "@layer a{.btn:hover{color:red}}a{b:c}.btn:not(.card){f:g}:is(.card,.dialog)>*{h:i}"
    assert kit.parts("@keyframes spin{to{rotate:1turn}}") == "@keyframes spin{to{rotate:1turn}}"


def test_pictures_that_the_content_policy_refuses_are_left_out():
    css = ':root{--a:1px;--icon:url("data:image/svg+xml;utf8,<svg d=\\"m6 9;}\\"/>");--b:url("/c.svg")}'
    assert kit.parts(css) == ':root{--a:1px;--b:url("/c.svg")}'
    assert "data:" not in kit.PARTS.read_text()


def test_every_class_of_the_kit_that_a_component_wears_is_among_the_parts():
    whole, parts = (set(re.findall(r"\.([a-z][\w-]*)", path.read_text())) for path in (kit.WHOLE, kit.PARTS))
    worn = {name for path in COMPONENTS for classes in re.findall(r'class="([\w -]+)', path.read_text()) for name in classes.split()}
    assert worn & whole - {"sr-only"} <= parts
