"""Tests of publishing, finding, validating and withdrawing templates."""

from __future__ import annotations

import pytest
from django.db import connection

from tests import factories
from tests.catalog.sources import BROKEN, HELLO, PLAIN
from workflows_app.catalog.publish import InvalidSlug, SlugTaken, VersionConflict, create, publish
from workflows_app.catalog.templates import UnknownTemplate, find, find_version
from workflows_app.catalog.validate import UnknownDialect, validate
from workflows_app.catalog.withdraw import withdraw
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import Definition, Template, TemplateVersion

pytestmark = pytest.mark.django_db


def test_the_first_version_makes_the_template(now):
    author = factories.a_user("ann")
    version = create(slug="hello", source=HELLO, note="First", by=author, now=now)
    template = find("hello")
    assert (template.name, template.description, template.tags) == ("Hello", "Greets", ["greeting"])
    assert (version.number, version.note, version.created_by, version.source, version.dialect) == (1, "First", author, HELLO, "template")
    assert template.current == version == version.template.current
    assert version.params_schema["required"] == ["name"]
    assert [node.id for node in version.definition.compiled().nodes] == ["greet"]
    assert not template.is_bundled
    assert not template.is_edited


def test_the_next_version_leaves_the_first_as_it_was(now):
    first = publish(slug="hello", source=HELLO, now=now)
    second = publish(slug="hello", source=PLAIN, now=factories.later(5))
    assert (first.number, second.number) == (1, 2)
    assert find("hello").name == "Plain"
    assert find("hello").updated_at == factories.later(5)
    assert TemplateVersion.objects.get(number=1).source == HELLO


def test_equal_graphs_are_stored_once(now):
    publish(slug="a", source=PLAIN, now=now)
    publish(slug="b", source=PLAIN.replace("Plain", "Other"), now=now)
    assert Definition.objects.count() == 1


def test_a_broken_text_publishes_nothing(now):
    with pytest.raises(DefinitionError, match="line 3"):
        publish(slug="hello", source=BROKEN, now=now)
    assert not Template.objects.exists()
    assert not Definition.objects.exists()


def test_a_slug_can_be_created_once(now):
    create(slug="hello", source=HELLO, now=now)
    with pytest.raises(SlugTaken, match="'hello'"):
        create(slug="hello", source=PLAIN, now=now)
    assert find("hello").current.number == 1


@pytest.mark.parametrize("slug", ["", "-a", "a b", "a/b", "../x", "ä", "a" * 101, "a\n"])
def test_a_slug_must_fit_an_address(slug, now):
    with pytest.raises(InvalidSlug, match="letters, digits"):
        publish(slug=slug, source=PLAIN, now=now)


def test_who_publishes_over_somebody_elses_version_is_told(now):
    publish(slug="hello", source=HELLO, now=now)
    publish(slug="hello", source=PLAIN, now=now, expect_version=1)
    with pytest.raises(VersionConflict, match="at version 2 by now, not 1"):
        publish(slug="hello", source=HELLO, now=now, expect_version=1)
    with pytest.raises(VersionConflict, match="at version 0 by now, not 3"):
        publish(slug="new", source=HELLO, now=now, expect_version=3)
    assert not Template.objects.filter(slug="new").exists()


def test_a_withdrawn_template_is_gone_and_its_versions_stay(now):
    publish(slug="hello", source=HELLO, now=now)
    withdraw(slug="hello", now=now)
    with pytest.raises(UnknownTemplate, match="Template 'hello' not found"):
        find("hello")
    with pytest.raises(UnknownTemplate):
        withdraw(slug="hello", now=now)
    assert TemplateVersion.objects.count() == 1


def test_publishing_again_brings_a_withdrawn_template_back_with_the_next_number(now):
    publish(slug="hello", source=HELLO, now=now)
    withdraw(slug="hello", now=now)
    assert create(slug="hello", source=PLAIN, now=now).number == 2
    assert find("hello").name == "Plain"


def test_an_unknown_template_comes_with_the_nearest_slug(now):
    publish(slug="data_processing", source=PLAIN, now=now)
    with pytest.raises(UnknownTemplate, match="Template 'data-procesing' not found; did you mean 'data_processing'\\?"):
        find("data-procesing")


def test_a_version_is_found_by_its_number(now):
    publish(slug="hello", source=HELLO, now=now)
    publish(slug="hello", source=PLAIN, now=now)
    assert find_version("hello").number == 2
    assert find_version("hello", 1).source == HELLO
    with pytest.raises(UnknownTemplate, match="has no version 3"):
        find_version("hello", 3)


def test_a_draft_is_compiled_without_being_stored():
    assert validate(HELLO).name == "Hello"
    with pytest.raises(DefinitionError, match="did you mean 'input'"):
        validate(BROKEN)
    with pytest.raises(UnknownDialect, match=r"unknown dialect 'tmeplate'; known: .*template"):
        validate(HELLO, "tmeplate")
    assert not Template.objects.exists()


def test_finding_a_template_takes_one_query(now, django_assert_num_queries):
    publish(slug="hello", source=HELLO, now=now)
    with django_assert_num_queries(1):
        assert find("hello").current.definition.node_count == 1


@pytest.mark.django_db(transaction=True)
def test_versions_published_at_the_same_time_are_numbered_one_after_another(now):
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> int:
        try:
            return publish(slug="race", source=PLAIN.replace("Plain", f"Plain {number}"), now=now).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(8))) == list(range(1, 9))
    assert find("race").current.number == 8
