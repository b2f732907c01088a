"""Tests of the demo service as a client sees it."""

from __future__ import annotations

import time

import pytest

from workflows_app.demo import orders


def test_three_pages_hold_every_order_once(client):
    pages = [client.get("/demo/orders", {"page": page, "size": 20}).json() for page in (1, 2, 3)]
    ids = [order["id"] for page in pages for order in page["orders"]]
    assert len(ids) == len(set(ids)) == orders.TOTAL == 60
    assert [(page["page"], page["pages"], page["total"]) for page in pages] == [(1, 3, 60), (2, 3, 60), (3, 3, 60)]


def test_a_page_is_the_same_every_time_and_adds_up(client):
    first, again = (client.get("/demo/orders?page=2").json() for _ in range(2))
    assert first == again
    for order in first["orders"]:
        assert order["total"] == round(sum(line["quantity"] * line["price"] for line in order["lines"]), 2)
        assert order["region"] in orders.REGIONS


def test_behind_the_last_page_there_is_nothing(client):
    assert client.get("/demo/orders?page=99").json()["orders"] == []


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "size=101", "size=0", "page=99999999999", "page=%C2%B2", "page=1.5"])
def test_a_page_that_makes_no_sense_is_422(client, query):
    response = client.get(f"/demo/orders?{query}")
    assert response.status_code == 422
    assert "whole numbers" in response.json()["detail"]


def test_an_answer_takes_a_little_while_as_a_real_one_does(client):
    began = time.monotonic()
    client.get("/demo/orders?page=1")
    assert 0.05 < time.monotonic() - began < 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_echo_answers_with_what_arrived(client, method):
    response = client.generic(method, "/demo/echo?a=1", '{"b": [2]}', content_type="application/json", headers={"Idempotency-Key": "k"})
    found = response.json()
    assert (found["method"], found["query"], found["body"]) == (method, {"a": "1"}, {"b": [2]})
    assert found["headers"]["Idempotency-Key"] == "k"


def test_echo_takes_text_and_broken_json_and_shows_no_cookie(client):
    client.cookies["session"] = "s3cret"
    assert client.post("/demo/echo", data="hi", content_type="text/plain").json()["body"] == "hi"
    assert client.post("/demo/echo", data="{", content_type="application/json").json()["body"] == "{"
    assert "s3cret" not in client.post("/demo/echo").content.decode()


def test_echo_needs_no_csrf_token():
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post("/demo/echo").status_code == 200


@pytest.mark.parametrize("code", [200, 201, 204, 304, 404, 429, 500, 503])
def test_any_status_can_be_asked_for(client, code):
    assert client.get(f"/demo/status/{code}").status_code == code


def test_a_status_may_come_with_retry_after(client):
    assert client.get("/demo/status/503?retry_after=2")["Retry-After"] == "2"
    assert "Retry-After" not in client.get("/demo/status/503")


@pytest.mark.parametrize("code", [0, 100, 199, 600, 99999])
def test_a_status_that_is_none_is_422(client, code):
    assert client.get(f"/demo/status/{code}").status_code == 422


def test_slow_takes_as_long_as_it_is_told(client):
    began = time.monotonic()
    assert client.get("/demo/slow?seconds=0.2").json() == {"waited_seconds": 0.2}
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("seconds", ["-1", "31", "x", "nan", "inf", ""])
def test_slow_refuses_what_is_no_short_time(client, seconds):
    assert client.get("/demo/slow", {"seconds": seconds}).status_code == 422


@pytest.mark.parametrize("path", ["/demo/orders", "/demo/slow"])
def test_pages_and_slow_are_read_only(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/demo/orders", "/demo/echo", "/demo/status/200", "/demo/slow"])
def test_outside_of_local_mode_there_is_no_demo_service(client, settings, path):
    settings.IS_LOCAL = False
    assert client.get(path).status_code == 404
