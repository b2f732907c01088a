"""Events: take one, list them; webhooks that sign what they send."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.errors import AuthenticationError

from workflows_app.access import webhooks
from workflows_app.api import strict_json
from workflows_app.api.answers import answer
from workflows_app.api.auth import caller, is_local
from workflows_app.api.bodies import takes_schema
from workflows_app.api.errors import refusal
from workflows_app.api.headers import chain_depth, idempotency_key, next_link
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.events import EventDetailOut, EventOut, EventQuery
from workflows_app.catalog import events
from workflows_app.engine.clock import database_now
from workflows_app.engine.report import events as report

router = Router(tags=["events"], by_alias=True)
MAX_SOURCE_CHARACTERS = 100
PAYLOAD = {"description": "the event itself, any JSON; what is no object starts nothing, but may end the wait of a step"}
TAKEN = {200: EventOut, (400, 401, 409, 413, 422): Refusal}


@router.post("", response=TAKEN, summary="Take an event", openapi_extra=takes_schema(PAYLOAD, required=True))
def take_event(request: HttpRequest, source: str = "") -> HttpResponse:
    """Starts every template whose trigger is true of the body, and says of each one looked at whether it matched. Header
    `Idempotency-Key`: the same source, key and payload answers with the same event, another payload is a 409."""
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise refusal(["query", "source"], f"must be {MAX_SOURCE_CHARACTERS} characters at most", "string_too_long")
    taken = events.take(
        payload=payload_of(request),
        source=source,
        idempotency_key=idempotency_key(request),
        chain_depth=chain_depth(request),
        by=None if is_local(request) else caller(request),
    )
    return answer(report.receipt(taken.event, taken.started))


@router.get("", response={200: list[EventOut], (401, 422): Refusal}, summary="Events, newest first")
def list_events(request: HttpRequest, query: Query[EventQuery]) -> HttpResponse:
    """Without payloads. The next page is in the header `Link: <…>; rel="next"`; without one, this page is the last."""
    page = report.search_events(source=query.source, matched=query.matched, limit=query.limit, cursor=query.cursor)
    response = answer(page.events)
    if page.cursor:
        response["Link"] = next_link(request, page.cursor)
    return response


@router.get("/{event_id}", response={200: EventDetailOut, (401, 404): Refusal}, summary="One event with its payload")
def get_event(request: HttpRequest, event_id: str) -> HttpResponse:
    return answer(report.event(event_id))


@router.post(
    "/webhooks/{source}", auth=None, response=TAKEN, summary="Take a signed event", openapi_extra=takes_schema(PAYLOAD, required=True)
)
def take_webhook(request: HttpRequest, source: str) -> HttpResponse:
    """Signed after standardwebhooks.com with the secret of its source: headers `webhook-id`, `webhook-timestamp` and
    `webhook-signature`. The id is the idempotency key: what is sent again starts nothing."""
    now = database_now()
    try:
        message = webhooks.verify(source=source, headers=request.headers, body=request.body, now=now)
    except webhooks.BadSignature as error:
        raise AuthenticationError(message=str(error)) from None
    event = events.receive(payload=payload_of(request), source=source, idempotency_key=message, chain_depth=chain_depth(request), now=now)
    return answer(report.receipt(event))


def payload_of(request: HttpRequest) -> Any:
    """The body, whatever JSON it is. Raises what strict_json raises, and ValidationError when there is none."""
    payload = strict_json.read(request)
    if payload is None and not request.body.strip():
        raise refusal(["body"], "is missing: send the event as JSON", "missing")
    return payload
