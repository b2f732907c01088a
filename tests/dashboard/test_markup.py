"""Rules that every template and stylesheet keeps: nothing inline, nothing marked safe, colours that can be read."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CSS = (ROOT / "static" / "app.css").read_text()
STATUSES = ["pending", "waiting", "running", "completed", "failed", "stopped"]
GROUNDS = ["background", "card", "hover", "selected"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_nothing_that_the_content_policy_refuses(path):
    html = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r'hx-trigger="[^"]*\[', html)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_control_is_named_like_a_property_of_its_form(path):
    """`form.id` would be that control, and a poll could not find the form again: it would draw it anew, with all that is in it."""
    named = set(re.findall(r'\sname="([\w-]+)"', path.read_text()))
    assert not named & {"id", "action", "method", "children", "attributes", "parentNode", "nextSibling", "isConnected"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_marks_nothing_safe(path):
    assert not re.search(r"\|\s*safe\b|autoescape off|safeseq", path.read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "workflows_app" / "dashboard").rglob("*.py")), ids=lambda path: path.name)
def test_no_view_marks_anything_safe(path):
    """What is joined in Python, where a template's loop would cost too much, is escaped into a pattern that is a constant."""
    code = path.read_text()
    assert not re.search(r"mark_safe|format_html\(|SafeString\(", code)
    assert all(re.match(r'"[^"]*", [A-Z]+, ', call) for call in re.findall(r"format_html_join\((.*)", code))


def _pair(name: str) -> tuple[str, str]:
    found = re.search(rf"--{name}: light-dark\((#[0-9a-f]{{6}}), (#[0-9a-f]{{6}})\)", CSS)
    assert found, f"--{name} is not a pair of colours"
    return found[1], found[2]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", [*STATUSES, "foreground", "muted-foreground", "link", "destructive"])
def test_text_colours_have_a_contrast_of_4_5_on_every_ground_in_both_themes(name):
    for ground in GROUNDS:
        light, dark = zip(_pair(name), _pair(ground), strict=True)
        assert min(_contrast(*light), _contrast(*dark)) >= 4.5, ground


def test_words_on_the_primary_button_can_be_read():
    (light, dark), (light_words, dark_words) = _pair("primary"), _pair("primary-foreground")
    assert min(_contrast(light, light_words), _contrast(dark, dark_words)) >= 4.5


def test_motion_stops_for_those_who_ask_for_less():
    assert "prefers-reduced-motion: reduce" in CSS
