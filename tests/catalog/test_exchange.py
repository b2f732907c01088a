"""Templates as text: what is exported can be imported, here or elsewhere, and means the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.api.templates_for_tests import SOURCE, a_published
from tests.factories import NOW, a_user
from workflows_app.catalog.exchange import _as_yaml, export, import_template
from workflows_app.catalog.publish import InvalidSlug, publish
from workflows_app.catalog.slugs import free_slug, slug_from
from workflows_app.catalog.templates import UnknownTemplate, find
from workflows_app.catalog.validate import UnknownDialect
from workflows_app.dialects.source import read
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import Template, TemplateVersion

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(PLAIN, lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXT, parts, max_size=4), max_leaves=10)


@pytest.mark.django_db
def test_an_export_says_dialect_slug_and_version_and_keeps_what_the_author_wrote() -> None:
    a_published("one")
    a_published("one", SOURCE.replace("Made for tests", "Changed"))
    assert export(slug="one") == "# dialect: template\n# slug: one\n# version: 2\n" + SOURCE.replace("Made for tests", "Changed")


@pytest.mark.django_db
def test_a_template_that_was_sent_as_json_is_exported_as_yaml() -> None:
    a_published("one", json.dumps({"name": "As JSON", "tags": ["ü"], "steps": [{"id": "a", "action": "input"}]}))
    assert export(slug="one").splitlines()[3:] == ["name: As JSON", "tags:", "- ü", "steps:", "- id: a", "  action: input"]


@pytest.mark.django_db
def test_an_import_of_an_export_is_the_next_version_of_the_same_template_and_means_the_same() -> None:
    first = a_published("one")
    again = import_template(source=export(slug="one"), now=NOW, by=a_user("ana"))
    assert (again.template.slug, again.number, again.note) == ("one", 2, "Imported")
    assert again.created_by is not None and again.created_by.get_username() == "ana"
    assert again.definition_id == first.definition_id
    assert export(slug="one").count("# dialect") == 1


@pytest.mark.django_db
def test_an_import_elsewhere_is_a_new_template() -> None:
    a_published("one")
    text = export(slug="one")
    Template.objects.update(current=None)
    TemplateVersion.objects.all().delete()
    Template.objects.all().delete()
    import_template(source=text, now=NOW)
    assert find("one").name == "Data processing"


@pytest.mark.django_db
def test_what_is_said_beside_the_text_counts_more_than_its_comments() -> None:
    a_published("one")
    assert import_template(source=export(slug="one"), slug="other", now=NOW).template.slug == "other"
    with pytest.raises(UnknownDialect):
        import_template(source=export(slug="one"), dialect="klingon", now=NOW)


@pytest.mark.django_db
def test_without_comments_the_slug_comes_from_the_name() -> None:
    assert import_template(source=SOURCE, now=NOW).template.slug == "data-processing"


@pytest.mark.django_db
def test_comments_further_down_are_comments() -> None:
    assert import_template(source=SOURCE + "# slug: other\n", now=NOW).template.slug == "data-processing"


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["../x", "a/b", "import", "-"])
def test_a_slug_in_a_comment_is_checked_like_any_other(slug: str) -> None:
    with pytest.raises(InvalidSlug):
        import_template(source=f"# slug: {slug}\n{SOURCE}", now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["", "/etc/passwd", "file:///etc/passwd", "- a", "# slug: x"])
def test_a_text_is_a_text_and_never_a_path(source: str) -> None:
    with pytest.raises(DefinitionError):
        import_template(source=source, now=NOW)
    assert not Template.objects.exists()


@pytest.mark.django_db
def test_what_was_never_published_cannot_be_exported() -> None:
    with pytest.raises(UnknownTemplate):
        export(slug="nope")


@settings(max_examples=150, deadline=None)
@given(value=st.dictionaries(TEXT.filter(bool), VALUES, min_size=1, max_size=5))
def test_any_json_is_the_same_when_it_comes_back_from_yaml(value: dict[str, object]) -> None:
    text = json.dumps(value)
    assume(read(text).value == value)
    assert read(_as_yaml(text)).value == value


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Hot lead", "hot-lead"), ("  Größe & Co. ", "groe-co"), ("日本", "workflow"), ("../..", "workflow"), ("x" * 200, "x" * 90)],
)
def test_a_slug_is_made_of_the_letters_of_a_name(name: str, slug: str) -> None:
    assert slug_from(name) == slug


@pytest.mark.django_db
def test_a_slug_that_a_template_has_or_had_gets_a_number() -> None:
    for taken in ("hot-lead", "hot-lead-2"):
        publish(slug=taken, source=SOURCE, now=NOW)
    Template.objects.filter(slug="hot-lead-2").update(deleted_at=NOW)
    assert (free_slug("Hot lead"), free_slug("Hot"), free_slug("import")) == ("hot-lead-3", "hot", "import-2")
