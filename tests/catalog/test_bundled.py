"""Tests of the templates that come with the product: they load, stay edited, and run."""

from __future__ import annotations

import pytest

from tests import factories
from tests.catalog.sources import PLAIN
from tests.catalog.walk import Walk
from workflows_app import actions
from workflows_app.catalog import bundled
from workflows_app.catalog.bundled import Bundled
from workflows_app.catalog.publish import publish
from workflows_app.catalog.templates import find
from workflows_app.catalog.validate import validate
from workflows_app.catalog.withdraw import withdraw
from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.params import accept
from workflows_app.graph.conditions import holds
from workflows_app.models import Template, TemplateVersion

SLUGS = ["ask_and_wait", "data_processing", "every_action", "hot_lead", "llm_analysis", "parallel_fetch", "sample_workflow", "test"]
OFFLINE = ["ask_and_wait", "sample_workflow", "test"]


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "DIRECTORY", tmp_path)
    (tmp_path / "mine.yaml").write_text(PLAIN)
    return tmp_path


@pytest.mark.django_db
def test_all_load_once_and_are_marked(now):
    assert bundled.load(now=now) == SLUGS
    assert bundled.load(now=now) == []
    assert set(Template.objects.published().filter(is_bundled=True, is_edited=False).values_list("slug", flat=True)) == set(SLUGS)


@pytest.mark.django_db
def test_server_mode_loads_only_what_can_run_there(server_mode, now):
    assert bundled.load(now=now) == OFFLINE
    for slug in SLUGS:
        assert (bundled.DEMO_SERVICE in source(slug)) == ("/demo" in source(slug)) == (slug not in OFFLINE)


@pytest.mark.django_db
def test_a_changed_text_becomes_a_new_version(directory, now):
    bundled.load(now=now)
    (directory / "mine.yaml").write_text(PLAIN.replace("Plain", "Newer"))
    assert bundled.load(now=factories.later(1)) == ["mine"]
    assert (find("mine").name, find("mine").current.number, find("mine").is_edited) == ("Newer", 2, False)


@pytest.mark.django_db
def test_an_edited_one_is_never_overwritten(directory, now):
    bundled.load(now=now)
    publish(slug="mine", source=PLAIN.replace("Plain", "My own"), now=now)
    assert find("mine").is_edited
    (directory / "mine.yaml").write_text(PLAIN.replace("Plain", "Newer"))
    assert bundled.load(now=now) == []
    assert find("mine").name == "My own"
    publish(slug="mine", source=PLAIN, now=now)
    assert find("mine").is_edited


@pytest.mark.django_db
def test_a_deleted_one_stays_deleted(directory, now):
    bundled.load(now=now)
    withdraw(slug="mine", now=now)
    assert bundled.load(now=now) == []
    assert not Template.objects.published().exists()


@pytest.mark.django_db
def test_somebodys_own_template_of_that_name_is_left_alone(directory, now):
    publish(slug="mine", source=PLAIN.replace("Plain", "Theirs"), now=now)
    assert bundled.load(now=now) == []
    assert TemplateVersion.objects.count() == 1


def file(slug: str) -> Bundled:
    return next(found for found in bundled.files() if found.slug == slug)


def source(slug: str) -> str:
    return file(slug).source


def compiled(slug: str) -> Compiled:
    return validate(source(slug), file(slug).dialect)


def walk(slug: str, url: str = "http://127.0.0.1:9", **params) -> Walk:
    found = compiled(slug)
    return Walk(found.definition, params=accept(found.params_schema, params), url=url).run()


@pytest.mark.parametrize("slug", SLUGS)
def test_none_needs_parameters(slug):
    assert "required" not in compiled(slug).params_schema


def test_the_small_one_greets():
    found = walk("test")
    assert set(found.ends.values()) == {"completed"}
    assert found.outputs["done"] == "Hello, world!"
    assert walk("test", name="Ann").outputs["done"] == "Hello, Ann!"


@pytest.mark.django_db(transaction=True)
def test_data_processing_fetches_merges_decides_waits_joins_and_reports(live_server):
    found = walk("data_processing", live_server.url)
    assert {id for id, end in found.ends.items() if end != "completed"} == {"note_slow_day"}
    assert found.ends["note_slow_day"] == "skipped"
    report = found.outputs["report"]
    assert 0 < report["orders"] < 60
    assert report["revenue"] > 5000
    assert report["large_orders"]
    assert all(order["total"] > 1000 for order in report["large_orders"])
    assert report["summary"].startswith(f"{report['orders']} orders, {report['revenue']} in revenue: a lot was sold")
    assert found.waited == 2.5
    assert 200 < len(found.logs["report"]) < 600
    assert "/demo/orders?page=3&size=20 → 200 in " in found.logs["fetch_page_3"]
    assert found.logs["decide"] == "Took 'a lot was sold', on to pick_large_orders"


@pytest.mark.django_db(transaction=True)
def test_data_processing_takes_the_other_side_too(live_server):
    found = walk("data_processing", live_server.url, threshold=1_000_000, page_size=5, pause=0)
    assert found.ends["pick_large_orders"] == "skipped"
    assert found.ends["note_slow_day"] == found.ends["report"] == "completed"
    assert found.outputs["report"]["large_orders"] == []
    assert "little was sold" in found.outputs["report"]["summary"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("params", "rating", "skipped"),
    [
        ({}, "medium", {"check", "optional"}),
        ({"amount": 5000}, "large", {"pause", "compute", "optional"}),
        ({"amount": 1, "notify": True}, "small", {"check", "compute"}),
    ],
)
def test_every_action_runs_whatever_way_it_takes(live_server, params, rating, skipped):
    found = walk("every_action", live_server.url, **params)
    assert found.outputs["done"]["rating"] == rating
    assert {id for id, end in found.ends.items() if end == "skipped"} == skipped
    assert found.ends["missing"] == "forgiven"
    assert found.outputs["done"]["missing"] == "FAILED"
    assert found.outputs["done"]["expected"] == 404
    assert found.outputs["shape"]["key"] == "w:s"
    assert [len(page or ()) for page in found.outputs["each"]["results"]] == [2, 0, 2, 0]
    assert (found.outputs["each"]["skipped"], found.outputs["each"]["failed"]) == (2, 0)
    assert found.outputs["done"]["greeting"] == "Hello, Aster Books!"
    assert found.outputs["done"]["thanks"] == "demo"
    assert found.outputs["tell"]["title"] == "Thanks for Aster Books"


def test_the_two_that_wait_for_somebody_give_up_by_themselves():
    found = walk("ask_and_wait")
    assert set(found.ends.values()) == {"completed"}
    assert found.outputs["done"] == {"discount": 0, "decided_by": "nobody", "paid": False}
    assert found.waited == 60


def test_between_them_they_show_every_action():
    nodes = [node for slug in ("every_action", "ask_and_wait") for node in validate(source(slug)).definition.nodes]
    shown = {node.action for node in nodes} | {node.body.action for node in nodes if node.body}
    assert shown >= set(actions.ACTIONS) - {"start", "call_external_service"} | {"task_a", "task_b", "task_c"}


def test_a_file_is_named_after_its_slug_and_its_dialect():
    found = {each.slug: each.dialect for each in bundled.files() if each.dialect != "template"}
    assert found == {"hot_lead": "graph", "llm_analysis": "dag", "parallel_fetch": "dag", "sample_workflow": "tasks"}


@pytest.mark.django_db
def test_the_version_knows_its_dialect_and_the_event_that_starts_it(now):
    bundled.load(now=now)
    version = find("hot_lead").current
    assert version.dialect == "graph"
    assert holds(version.trigger, LEAD)
    assert list(Template.objects.triggered().values_list("slug", flat=True)) == ["hot_lead"]
    assert find("sample_workflow").current.trigger is None


LEAD = {"lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}}


@pytest.mark.parametrize(
    ("change", "does_match"),
    [({}, True), ({"score": 80}, True), ({"score": 79}, False), ({"source": "X"}, False), ({"title": "CTO"}, True)],
)
def test_a_hot_lead_is_one_from_linkedin_with_a_good_score(change, does_match):
    """CONTRACT.md section 5: the event `{"lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}}` starts it."""
    assert holds(compiled("hot_lead").trigger, {"lead": {**LEAD["lead"], **change}}) is does_match


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("title", "taken", "skipped"), [("CEO", "gift", "drip"), ("CTO", "drip", "gift")])
def test_a_ceo_gets_a_gift_and_anybody_else_does_not(live_server, title, taken, skipped):
    """CONTRACT.md section 5: the CEO case goes to `gift`, another title takes `else`."""
    found = walk("hot_lead", live_server.url, lead={**LEAD["lead"], "title": title})
    assert (found.ends[taken], found.ends[skipped]) == ("completed", "skipped")
    assert found.outputs["call"]["body"]["body"] == {"source": "LinkedIn", "title": title}
    assert f"New hot lead: {title}, score 90" in str(found.outputs["notify"])


@pytest.mark.django_db(transaction=True)
def test_two_calls_fan_out_and_in_again(live_server):
    """CONTRACT.md section 6: fan-out and fan-in; `{{ input.name }}` is what it was triggered with."""
    found = walk("parallel_fetch", live_server.url, user_id=123)
    result = found.outputs["output"]
    assert result["get_user"]["body"]["body"] == {"user_id": 123}
    assert len(result["get_orders"]["response"]["orders"]) == 3


@pytest.mark.django_db(transaction=True)
def test_a_model_is_asked_about_what_was_fetched(live_server):
    """CONTRACT.md section 7: without a provider the built-in one answers, always the same."""
    first, second = (walk("llm_analysis", live_server.url) for _ in range(2))
    assert first.outputs["analyze"]["provider"] == "demo"
    assert first.outputs["output"] == first.outputs["analyze"]["response"] == second.outputs["output"]


def test_the_sample_of_tasks_runs_them_in_order():
    """CONTRACT.md section 4: `task_a`, `task_b`, `task_c` exist as built-in demo tasks."""
    found = walk("sample_workflow")
    assert list(found.ends.items()) == [("task_a", "completed"), ("task_b", "completed"), ("task_c", "completed")]
    assert found.outputs["task_c"]["upstream"] == ["task_b"]
