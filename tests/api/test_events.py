"""`/api/events`: taken, listed with what matched and why not, and signed webhooks."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import Client

from tests.api.calls import NOTHING, detail, fields, get, post
from tests.factories import NOW, a_token, a_user
from workflows_app.access import event_sources, webhooks
from workflows_app.catalog.publish import publish
from workflows_app.engine.report.events import NO_MATCH, NO_TEMPLATE, NOT_STARTED
from workflows_app.models import Event, EventSource, Workflow

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"type": "order", "id": 7}
SOURCE = """\
name: Orders
trigger: {"==": [{var: type}, order]}
params: {properties: {type: {type: string}, id: {type: integer}}}
steps:
  - {id: show, action: output, with: {value: "{{ params.id }}"}}
"""


@pytest.fixture
def orders() -> None:
    publish(slug="orders", source=SOURCE, now=NOW)


def taken(body: Any = ORDER, path: str = "/api/events", **options: Any) -> dict[str, Any]:
    response = post(path, body, **options)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_answer_says_what_was_started_and_what_matched(orders: None) -> None:
    """CONTRACT.md section 3: the answer lists the started workflows and, for each template looked at, matched or not."""
    publish(slug="refunds", source=SOURCE.replace("order]", "refund]"), now=NOW)
    found = taken(path="/api/events?source=shop")
    workflow, event = Workflow.objects.get(), Event.objects.get()
    no = {"matched": False, "reason": "the trigger is not true", "workflowId": None}
    yes = {"matched": True, "reason": None, "workflowId": str(workflow.uid)}
    assert found == {
        "id": str(event.uid),
        "receivedAt": event.received_at.isoformat(),
        "source": "shop",
        "idempotencyKey": None,
        "chainDepth": 0,
        "workflows": [{"id": str(workflow.uid), "templateId": "orders", "status": "PENDING"}],
        "templates": [
            {"template": "orders", "name": "Orders", "version": 1, **yes},
            {"template": "refunds", "name": "Orders", "version": 1, **no},
        ],
        "deliveries": [],
        "message": "1 workflow started.",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [({"type": "refund"}, NO_MATCH), ({"type": "order", "id": "x"}, NOT_STARTED), ([ORDER], NO_MATCH), (None, NO_MATCH)],
)
def test_what_starts_nothing_says_so_plainly(orders: None, body: Any, message: str) -> None:
    """CONTRACT.md section 5: an event that matches no trigger starts nothing and says so."""
    found = taken(json.dumps(body))
    assert (found["workflows"], found["message"]) == ([], message)


def test_without_any_trigger_the_message_says_that() -> None:
    assert taken()["message"] == NO_TEMPLATE


def test_the_same_key_answers_with_the_same_event(orders: None) -> None:
    first = taken(Idempotency_Key="k")
    again = taken('{"id": 7,   "type": "order"}', Idempotency_Key="k")
    assert again == first and Workflow.objects.count() == 1
    refused = post("/api/events", {"type": "order"}, Idempotency_Key="k")
    assert refused.status_code == 409 and "'k'" in detail(refused)


@pytest.mark.parametrize("key", ["", "ä", "x" * 256, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    assert fields(post("/api/events", ORDER, Idempotency_Key=key)) == {"header.Idempotency-Key"}


@pytest.mark.parametrize(("header", "depth"), [("0", 0), ("10", 10), (" 3 ", 3), ("11", 11), ("99999999999999999999", 32_767)])
def test_the_header_says_how_many_events_led_here(orders: None, header: str, depth: int) -> None:
    found = taken(Hybrid_Chain_Depth=header)
    assert found["chainDepth"] == depth == Event.objects.get().chain_depth
    assert bool(found["workflows"]) is (depth <= 10)
    if depth > 10:
        assert found["templates"][0]["reason"] == f"chain depth {depth} is above 10"


@pytest.mark.parametrize("header", ["-1", "1.5", "x", "", "١"])
def test_a_chain_depth_that_is_no_number_is_refused(header: str) -> None:
    assert fields(post("/api/events", ORDER, Hybrid_Chain_Depth=header)) == {"header.Hybrid-Chain-Depth"}
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"), [(NOTHING, 422), ("  ", 422), ("{", 400), ("NaN", 422), ('{"a": "\\u0000"}', 422), (b"\xff", 400)]
)
def test_a_body_that_is_no_json_is_refused(body: Any, status: int) -> None:
    assert post("/api/events", body).status_code == status
    assert not Event.objects.exists()


@pytest.mark.parametrize("source", ["x" * 101, "%00"])
def test_a_source_that_cannot_be_kept_is_refused(source: str) -> None:
    assert fields(post(f"/api/events?source={source}", ORDER)) == {"query.source"}


def test_one_event_is_shown_with_its_payload_and_how_its_workflows_are(orders: None) -> None:
    event = taken()
    Workflow.objects.update(status="RUNNING")
    found = get(f"/api/events/{event['id']}").json()
    assert found["payload"] == ORDER and found["workflows"][0]["status"] == "RUNNING"
    Workflow.objects.all().delete()
    found = get(f"/api/events/{event['id']}").json()
    assert found["workflows"] == [] and found["templates"] == event["templates"]


@pytest.mark.parametrize("uid", ["nope", "00000000-0000-0000-0000-000000000000", "1", "%00"])
def test_an_unknown_event_is_not_found(uid: str) -> None:
    assert get(f"/api/events/{uid}").status_code == 404


def test_the_list_is_newest_first_and_leads_to_the_next_page(orders: None) -> None:
    ids = [taken({"type": "order", "id": n})["id"] for n in range(5)]
    found, path = [], "/api/events?limit=2"
    for _ in range(3):
        response = get(path)
        found.append([event["id"] for event in response.json()])
        link = response.headers.get("Link")
        path = link.partition(">")[0].removeprefix("<http://testserver") if link else ""
    assert found == [ids[:2:-1], ids[2:0:-1], ids[:1]] and path == ""
    assert "payload" not in response.json()[0]


def test_the_list_costs_as_many_queries_for_one_as_for_many(orders: None, django_assert_max_num_queries: Any) -> None:
    for n in range(12):
        taken({"type": "order", "id": n})
    with django_assert_max_num_queries(2):
        assert len(get("/api/events").json()) == 12


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"order", "refund", "misfit", "quoted"}),
        ("source=shop", {"refund"}),
        ("source=nobody", set()),
        ("matched=true", {"order", "misfit"}),
        ("matched=false", {"refund", "quoted"}),
        ("matched=false&source=shop", {"refund"}),
    ],
)
def test_the_list_is_filtered(orders: None, query: str, expected: set[str]) -> None:
    sent = {
        "order": taken(),
        "refund": taken({"type": "refund"}, path="/api/events?source=shop"),
        "misfit": taken({"type": "order", "id": "x"}),
        "quoted": taken({"type": '"matched": true'}),
    }
    ids = {name: event["id"] for name, event in sent.items()}
    assert {event["id"] for event in get(f"/api/events?{query}").json()} == {ids[name] for name in expected}


def test_a_name_cannot_pass_for_a_match() -> None:
    """The filter looks into the text of what matched."""
    publish(slug="fake", source=SOURCE.replace("Orders", """'"matched": true'"""), now=NOW)
    assert taken({"type": "refund"})["templates"][0]["name"] == '"matched": true'
    assert get("/api/events?matched=true").json() == []


def test_an_event_that_a_step_took_counts_as_matched() -> None:
    event = Event.objects.create(payload=1, received_at=NOW, deliveries=[{"workflowId": "w", "stepId": "s"}], is_delivered=True)
    found = get("/api/events?matched=true").json()
    assert [one["id"] for one in found] == [str(event.uid)] and found[0]["message"] == "1 waiting step took it."
    assert get("/api/events?matched=false").json() == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "matched=perhaps", "cursor=nonsense", "cursor=-1", "cursor=MA", "cursor=" + "MTIz" * 30]
)
def test_a_bad_query_is_refused(query: str) -> None:
    assert fields(get(f"/api/events?{query}")) == {f"query.{query.partition('=')[0]}"}


class TestWebhooks:
    """Open without a token, for whoever signs with the secret of the source."""

    @pytest.fixture(autouse=True)
    def _source(self, orders: None) -> None:
        self.secret = event_sources.create(name="shop", now=NOW).secret

    def send(
        self, body: Any = ORDER, *, source: str = "shop", id: str = "msg_1", at: float | None = None, client: Any = None, **headers: str
    ) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent_at = str(int(time.time() if at is None else at))
        signature = webhooks.sign(key=webhooks.key_of(self.secret), message=id, sent_at=sent_at, body=raw).decode()
        signed = {"webhook_id": id, "webhook_timestamp": sent_at, "webhook_signature": signature}
        return post(f"/api/events/webhooks/{source}", raw, client=client, **{**signed, **headers})

    def test_a_signed_event_starts_what_it_triggers(self) -> None:
        found = self.send().json()
        assert (found["source"], found["idempotencyKey"], found["message"]) == ("shop", "msg_1", "1 workflow started.")
        assert Event.objects.get().received_by is None

    def test_in_server_mode_it_needs_no_token_no_login_and_no_csrf_token(self, server_mode: None) -> None:
        client = Client(enforce_csrf_checks=True)
        assert self.send(client=client).status_code == 200
        assert post("/api/events", ORDER, client=client).status_code in (401, 403)

    def test_in_local_mode_the_guard_of_the_machine_stays(self) -> None:
        assert self.send(X_Forwarded_For="203.0.113.7").status_code == 403
        assert not Event.objects.exists()

    def test_what_is_sent_again_starts_nothing_and_is_answered_alike(self) -> None:
        """RELIABILITY: replayed webhooks start 0 workflows."""
        first = self.send().json()
        for _ in range(3):
            again = self.send()
            assert again.status_code == 200 and again.json() == first
        assert Workflow.objects.count() == Event.objects.count() == 1

    def test_a_replay_after_five_minutes_is_refused(self) -> None:
        for seconds in (301, -302):
            assert self.send(id="old", at=time.time() - seconds).status_code == 401
        assert not Event.objects.exists()

    def test_the_same_id_with_another_signed_payload_is_a_conflict(self) -> None:
        self.send()
        assert self.send({"type": "order", "id": 8}).status_code == 409
        assert Workflow.objects.count() == 1

    def test_unknown_inactive_unsigned_and_forged_are_all_answered_with_the_same_words(self) -> None:
        answers = [
            self.send(source="nobody"),
            self.send(webhook_signature="v1,AAAA"),
            self.send(webhook_id="other"),
            self.send(webhook_timestamp="1"),
            post("/api/events/webhooks/shop", ORDER),
            post("/api/events/webhooks/%00", ORDER),
        ]
        EventSource.objects.update(is_active=False)
        answers.append(self.send())
        assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
        assert not Event.objects.exists()

    def test_the_signature_is_checked_before_the_body_is_read_as_json(self) -> None:
        assert self.send(b"{", webhook_signature="v1,AAAA").status_code == 401
        assert self.send(b"{").status_code == 400
        assert self.send(b"").status_code == 422

    def test_a_signature_of_the_raw_bytes_holds_for_any_spelling_of_the_json(self) -> None:
        assert self.send(b'{ "type" : "order",\n "id":7 }').json()["message"] == "1 workflow started."

    def test_a_token_does_not_stand_in_for_a_signature(self, server_mode: None) -> None:
        a_token(user=a_user(), secret="he_good")
        answer = self.send(client=Client(), Authorization="Bearer he_good", webhook_signature="v1,AAAA")
        assert answer.status_code == 401

    def test_the_chain_goes_on_through_webhooks(self) -> None:
        assert self.send(Hybrid_Chain_Depth="11").json()["workflows"] == []
