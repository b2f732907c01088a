"""The pages on events: what came in, what it started, and the form that sends one."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL, a_match, an_event
from tests.factories import a_template, a_user, a_workflow
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, TemplateVersion, Workflow

LEAD = '{"lead": {"source": "LinkedIn"}}'
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def send(reader: Client, payload: str = LEAD, **changes: str):
    return reader.post("/events", {"payload": payload, "source": "crm", "key": "", **changes})


def rows(response) -> list[str]:
    return re.findall(r'<tr id="e-([^"]+)"', response.content.decode())


@pytest.fixture
def local(transactional_db) -> Client:
    """A browser whose requests commit, as events do."""
    return Client(headers={"host": "localhost"})


def a_triggered(slug: str, trigger: object, **changes):
    template = a_template(slug, **changes)
    TemplateVersion.objects.filter(template=template).update(trigger=trigger)
    return template


def test_the_list_tells_when_from_where_what_started_and_how_many_templates_were_looked_at(reader):
    workflow = a_workflow(name="Greet a lead", statuses=DONE)
    event = an_event(source="crm", matches=[a_match("greet", workflow=workflow), a_match("ship")])
    text = text_of(reader.get("/events"))
    assert re.search(r"ago crm 1 workflow started\. Greet a lead ✓ Completed 2 templates", text)
    assert f'href="/events/{event.uid}"' in reader.get("/events").content.decode()


def test_the_list_can_be_narrowed_by_source_and_by_use_and_both_live_in_the_url(reader):
    used = an_event(source="crm", matches=[a_match("greet", workflow=a_workflow())])
    unused, other = an_event(source="crm"), an_event(source="bank")
    assert rows(reader.get("/events")) == [str(event.uid) for event in (other, unused, used)]
    assert rows(reader.get("/events?source=crm")) == [str(unused.uid), str(used.uid)]
    assert rows(reader.get("/events?source=crm&matched=yes")) == [str(used.uid)]
    assert rows(reader.get("/events?matched=no")) == [str(other.uid), str(unused.uid)]
    assert 'href="?source=crm&amp;matched=no"' in reader.get("/events?source=crm").content.decode()


def test_events_are_shown_page_by_page(reader):
    for _ in range(120):
        an_event()
    seen, address = [], "/events"
    while address:
        response = reader.get(address)
        seen += rows(response)
        older = re.search(r'href="(\?[^"]+)"[^>]* rel="next"', response.content.decode())
        address = f"/events{older[1]}" if older else ""
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("query", ["?cursor=nonsense", "?matched=maybe"])
def test_nonsense_in_the_url_does_no_harm(reader, query):
    assert reader.get(f"/events{query}").status_code == 200


def test_without_any_the_list_says_how_they_come(reader):
    assert "No events yet" in text_of(reader.get("/events"))
    assert "No such event" in text_of(reader.get("/events?source=crm"))


def test_one_event_shows_payload_who_sent_it_and_of_each_template_what_it_started_or_why_not(reader):
    workflow, waiting = a_workflow(name="Greet a lead", statuses=DONE), a_workflow(name="Invoices")
    late, ship = a_match("late", is_matched=True, reason="too deep"), a_match("ship", reason="the trigger is not true")
    matches = [ship, a_match("greet", workflow=workflow), late]
    taken = [{"workflowId": str(waiting.uid), "stepId": "paid"}]
    values = {"idempotency_key": "k-1", "received_by": a_user("ana"), "chain_depth": 3}
    event = an_event(source="crm", payload={"lead": {"score": 90}}, matches=matches, deliveries=taken, **values)
    response = reader.get(f"/events/{event.uid}")
    text = text_of(response)
    assert '"score": 90' in text
    assert "Sent by ana Key k-1 Chain 3 deep" in text
    assert "✓ Started Greet greet v1 Greet a lead ✓ Completed ✕ Not started Late late v1 too deep" in text
    assert "– No match Ship ship v1 the trigger is not true" in text
    assert "paid of Invoices" in text
    assert f'href="/workflows/{waiting.uid}?step=paid"' in response.content.decode()


def test_what_was_deleted_since_is_told_and_leads_nowhere(reader):
    workflow = a_workflow()
    event = an_event(matches=[a_match("greet", workflow=workflow)], deliveries=[{"workflowId": str(workflow.uid), "stepId": "s"}])
    workflow.delete()
    text = text_of(reader.get(f"/events/{event.uid}"))
    assert text.count("deleted since") == 2
    assert reader.get("/events").status_code == 200


def test_an_unknown_event_is_not_found(reader):
    assert reader.get("/events/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_test_event_starts_what_it_triggers_and_lands_on_its_page(local):
    a_triggered("greet", {"==": [{"var": "lead.source"}, "LinkedIn"]}, params_schema={"additionalProperties": True})
    response = send(local, key="k-1")
    event, workflow = Event.objects.get(), Workflow.objects.get()
    assert response.headers["Location"] == f"/events/{event.uid}"
    assert (event.source, event.idempotency_key, event.received_by.username) == ("crm", "k-1", "local")
    assert event.payload == {"lead": {"source": "LinkedIn"}}
    assert workflow.params == event.payload
    page = local.get(f"/workflows/{workflow.uid}")
    assert f'href="/events/{event.uid}"' in page.content.decode()
    assert "by an event from crm" in text_of(page)


def test_the_same_key_leads_to_the_earlier_event_and_with_another_payload_is_refused(local):
    first = send(local, key="k-1").headers["Location"]
    assert send(local, key="k-1").headers["Location"] == first
    refused = send(local, '{"other": 1}', key="k-1")
    assert refused.status_code == 422
    assert "Idempotency-Key 'k-1' was already used with another payload" in text_of(refused)
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ('{"lead": \n  "x"', "This is not JSON: Expecting ',' delimiter, in line 2, column 6"),
        ("", "This is not JSON: Expecting value, in line 1, column 1"),
        ("NaN", "NaN is not a JSON number"),
        ("[1e999]", "The number 1e999 is too large"),
        ('"\\u0000"', "the character NUL"),
        ('{"\\ud800": 1}', "half of a surrogate pair"),
        ("[" * 100 + "]" * 100, "64 levels deep at most"),
        ("[" * 100_000, "JSON may be nested 64 levels deep at most"),
    ],
    ids=["cut off", "empty", "nan", "infinite", "nul", "surrogate", "deep", "very deep"],
)
def test_what_is_no_json_is_told_at_the_field_with_its_place_and_stays_typed(local, payload, why):
    response = send(local, payload)
    assert response.status_code == 422
    assert why in text_of(response)
    assert 'aria-invalid="true"' in response.content.decode()
    if payload.startswith('{"lead'):
        assert "{&quot;lead&quot;: \n  &quot;x&quot;</textarea>" in response.content.decode()
    assert not Event.objects.exists()


def test_an_event_is_not_taken_from_another_site(transactional_db):
    stranger = Client(headers={"host": "localhost"}, enforce_csrf_checks=True)
    assert send(stranger).status_code == 403
    assert not Event.objects.exists()


def test_the_poll_is_304_until_an_event_comes_or_a_workflow_moves(reader):
    workflow = a_workflow()
    event = an_event(matches=[a_match("greet", workflow=workflow)])
    tag = reader.get(f"/events/{event.uid}").headers["HX-PTag"]
    assert reader.get(f"/events/{event.uid}", headers={**HX, "HX-PTag": tag}).status_code == 304
    Workflow.objects.filter(pk=workflow.pk).update(seq=2)
    moved = reader.get(f"/events/{event.uid}", headers={**HX, "HX-PTag": tag})
    assert moved.status_code == 200
    assert "<html" not in moved.content.decode()
    tag = reader.get("/events").headers["HX-PTag"]
    an_event()
    assert len(rows(reader.get("/events", headers={**HX, "HX-PTag": tag}))) == 2


def test_the_number_of_queries_does_not_grow_with_the_events(reader):
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            reader.get(address)
        return len(captured)

    first = an_event(source="crm", matches=[a_match("a", workflow=a_workflow())])
    queries("/events")
    few, one = queries("/events"), queries(f"/events/{first.uid}")
    for n in range(20):
        an_event(matches=[a_match(f"t{n}", workflow=a_workflow()) for _ in range(3)])
    assert queries("/events") == few
    many = Event.objects.newest_first().first()
    assert queries(f"/events/{many.uid}") == one


def test_stored_text_is_shown_as_text(reader):
    workflow = a_workflow(name=EVIL)
    matches = [a_match(EVIL, workflow=workflow), a_match(EVIL, reason=EVIL)]
    taken = [{"workflowId": str(workflow.uid), "stepId": EVIL}]
    event = an_event(source=EVIL, payload={EVIL: EVIL}, idempotency_key=EVIL, matches=matches, deliveries=taken)
    for address in ("/events", f"/events?source={EVIL}", f"/events/{event.uid}"):
        html = reader.get(address).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html
