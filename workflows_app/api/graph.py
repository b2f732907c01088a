"""Graphs of nodes and edges, and the events that start them (CONTRACT.md section 5)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api.answers import answer, nothing
from workflows_app.api.auth import caller
from workflows_app.api.bodies import object_of, takes_schema
from workflows_app.api.errors import definition_at
from workflows_app.api.events import PAYLOAD, payload_of
from workflows_app.api.graph_shapes import graph_json, started_json
from workflows_app.api.headers import chain_depth, idempotency_key
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.graph import GRAPH_IN, GraphEventOut, GraphOut
from workflows_app.catalog import events, graphs
from workflows_app.catalog.graphs import UnknownGraph
from workflows_app.catalog.publish import SLUG
from workflows_app.engine.clock import database_now
from workflows_app.engine.report.events import receipt

router = Router(tags=["graphs"], by_alias=True)
REFUSALS = {(400, 401, 404, 413, 422): Refusal}
MADE_BY_US = ("id", "version", "created_at", "updated_at")


@router.post(
    "/workflows", response={201: GraphOut, **REFUSALS}, summary="Keep a graph", openapi_extra=takes_schema(GRAPH_IN, required=True)
)
def create_graph(request: HttpRequest) -> HttpResponse:
    """Its `id` is made of the name: `hot-lead`, `hot-lead-2`."""
    with definition_at("body"):
        graph = graphs.create_graph(graph=_graph_of(request), by=caller(request), now=database_now())
    return answer(graph_json(graph), status=201)


@router.get("/workflows", response={200: list[GraphOut], 401: Refusal}, summary="All graphs")
def list_graphs(request: HttpRequest) -> HttpResponse:
    return answer([graph_json(graph) for graph in graphs.all_graphs()])


@router.get("/workflows/{graph_id}", response={200: GraphOut, (401, 404): Refusal}, summary="One graph")
def get_graph(request: HttpRequest, graph_id: str) -> HttpResponse:
    return answer(graph_json(graphs.find_graph(_slug(graph_id))))


@router.put(
    "/workflows/{graph_id}",
    response={200: GraphOut, **REFUSALS},
    summary="Change a graph",
    openapi_extra=takes_schema(GRAPH_IN, required=True),
)
def replace_graph(request: HttpRequest, graph_id: str) -> HttpResponse:
    """A new version: what runs stays on its own."""
    slug = _slug(graph_id)
    with definition_at("body"):
        graph = graphs.replace_graph(slug=slug, graph=_graph_of(request), by=caller(request), now=database_now())
    return answer(graph_json(graph))


@router.delete("/workflows/{graph_id}", response={204: None, (401, 404): Refusal}, summary="Delete a graph")
def delete_graph(request: HttpRequest, graph_id: str) -> HttpResponse:
    """Its executions stay."""
    graphs.withdraw_graph(slug=_slug(graph_id), now=database_now())
    return nothing()


@router.post(
    "/events",
    response={200: GraphEventOut, (400, 401, 409, 413, 422): Refusal},
    summary="Send an event",
    openapi_extra=takes_schema(PAYLOAD, required=True),
)
def send_event(request: HttpRequest) -> HttpResponse:
    """The body is the payload. Starts every workflow whose trigger is true of it, and says so if there is none."""
    event = events.receive(
        payload=payload_of(request),
        idempotency_key=idempotency_key(request),
        chain_depth=chain_depth(request),
        by=caller(request),
        now=database_now(),
    )
    return answer(started_json(receipt(event)))


def _graph_of(request: HttpRequest) -> dict[str, Any]:
    """The body without what an answer of ours has beside the graph, so that an answer can be changed and sent back."""
    return {key: value for key, value in object_of(request).items() if key not in MADE_BY_US}


def _slug(text: str) -> str:
    """Raises UnknownGraph for what cannot be a slug, before a database sees it."""
    if not SLUG.fullmatch(text):
        raise UnknownGraph(text[:100])
    return text
