"""The kit's markup stands in templates/cotton/ alone, and whatever a component is given comes out as text."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import engines
from django.test import RequestFactory
from django_cotton.compiler_regex import CottonCompiler

ROOT = Path(__file__).parents[2] / "templates"
COMPONENTS = sorted((ROOT / "cotton").glob("*.html"))
OTHERS = sorted(path for path in ROOT.rglob("*.html") if "cotton" not in path.parts and "admin" not in path.parts)
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
KIT = {
    "btn", "input", "select", "textarea", "card", "badge", "dialog", "alert-dialog", "command", "command-dialog", "dropdown-menu",
    "popover", "alert", "tabs", "tooltip", "kbd", "field", "fieldset", "switch", "breadcrumb", "empty", "item", "table", "toast",
    "toaster", "label",
}  # fmt: skip
ON_THEIR_OWN = {"500.html", "503.html"}  # they must not need anything that may have failed
OBJECTS = {
    "look": SimpleNamespace(css=EVIL, glyph=EVIL, word=EVIL),
    "moment": SimpleNamespace(iso=EVIL, title=EVIL, words=EVIL),
    "took": SimpleNamespace(words=EVIL, since=EVIL),
    "bar": SimpleNamespace(css=EVIL, maximum=EVIL, value=EVIL, words=EVIL),
    "strip": SimpleNamespace(width=EVIL, label=EVIL, blocks=[SimpleNamespace(css=EVIL, x=EVIL, width=EVIL, title=EVIL)]),
}


def declared(path: Path) -> tuple[set[str], set[str]]:
    """What a component's c-vars name: texts, and those with a colon, which are objects or booleans."""
    found = re.search(r"<c-vars\s(.*?)/>", path.read_text(), re.DOTALL)
    names = re.findall(r"(:?[\w-]+)=", found[1]) if found else []
    return {name for name in names if name[0] != ":"}, {name[1:] for name in names if name[0] == ":"}


def render(source: str) -> str:
    context = {"evil": EVIL, "yes": True, **OBJECTS}
    return engines["django"].from_string(CottonCompiler().process(source)).render(context, RequestFactory().get("/"))


def used(path: Path) -> list[tuple[str, str]]:
    """`(component, attributes)` of every component that a template uses."""
    return re.findall(r"<c-((?!slot|vars)[\w.-]+)((?:\s+[:@\w-]+(?:=\"[^\"]*\")?)*)\s*/?>", path.read_text())


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_whatever_a_component_is_given_comes_out_as_text(path):
    texts, booleans = declared(path)
    objects = " ".join(f':{name}="{name}"' for name in sorted((texts | booleans) & OBJECTS.keys()))
    flags = " ".join(f':{name}="yes"' for name in sorted(booleans - OBJECTS.keys()))
    attributes = " ".join(f'{name}="{{{{ evil }}}}"' for name in sorted(texts - OBJECTS.keys() - {"level"}))
    html = render(f'<c-{path.stem} {objects} {flags} {attributes} data-more="{{{{ evil }}}}">{{{{ evil }}}}</c-{path.stem}>')
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "\"'>" not in html.replace('=""', "")


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_classes_of_the_kit_stand_in_components_alone(path):
    if path.name in ON_THEIR_OWN:
        return
    plain = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(), flags=re.DOTALL)
    markup = re.sub(r"<c-[\w.-]+(?:\s+[:@\w-]+(?:=\"[^\"]*\")?)*\s*/?>", "", plain)
    worn = {name for classes in re.findall(r'class="([^"]*)"', markup) for name in classes.split()}
    assert worn & KIT == set(), "use the component: c-button, c-input, c-select, c-dialog, …"


@pytest.mark.parametrize("path", [*OTHERS, *COMPONENTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_an_attribute_with_a_colon_is_one_that_the_component_declares(path):
    """Without, its value would come out raw."""
    for name, attributes in used(path):
        component = ROOT / "cotton" / f"{name.replace('-', '_') if not (ROOT / 'cotton' / f'{name}.html').exists() else name}.html"
        assert component.exists(), f"there is no component c-{name}"
        texts, booleans = declared(component)
        undeclared = set(re.findall(r"\s:([\w-]+)", attributes)) - texts - booleans
        assert undeclared == set(), f"c-{name} does not declare {undeclared}"


@pytest.mark.parametrize("path", [*OTHERS, *COMPONENTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_tag_stands_between_the_attributes_of_a_component(path):
    assert not re.search(r"<c-[\w.-]+(?:\s+[:@\w-]+=\"[^\"]*\")*\s+\{%", path.read_text())


def test_a_button_with_an_address_is_a_link_and_one_without_a_button():
    assert render('<c-button href="/a?b=1" variant="outline">Go</c-button>').startswith('<a class="btn" href="/a?b=1"')
    assert '<button class="btn" type="submit"' in render("<c-button>Send</c-button>")
    assert 'type="button"' in render('<c-button kind="button">Look</c-button>')


def test_a_dialog_is_named_by_its_title_and_can_be_closed_without_a_script():
    html = render('<c-dialog name="why" title="Why?">Because.</c-dialog>')
    assert 'id="why" aria-labelledby="why-title"' in html
    assert '<form method="dialog"><button type="submit" aria-label="Close">' in html


def test_a_confirmation_carries_the_token_and_says_what_it_does():
    html = render('<c-confirm trigger="Stop…" title="Stop it?" words="Stop" action="/stop">It ends.</c-confirm>')
    assert re.search(r'<details class="confirm"[^>]*><summary[^>]*>Stop…</summary><form[^>]*action="/stop"', html)
    assert "csrfmiddlewaretoken" in html


def test_a_field_shows_its_error_and_is_tied_to_its_label():
    html = render('<c-field name="size" label="Size" error="too large" :required="yes"><input id="size"></c-field>')
    assert '<label for="size">Size' in html
    assert 'id="size-error">too large' in html
    assert "has-error" in html
