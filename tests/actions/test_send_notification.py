"""Tests of `send_notification`: in the dashboard, and by POST to a real server on loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from tests.actions.web_server import plain, web_server
from workflows_app import actions
from workflows_app.actions import outbound
from workflows_app.actions.base import Fail, Noted, Notice, Retry
from workflows_app.actions.send_notification import SendNotification, SendNotificationConfig


async def send(log: Log | None = None, **config: Any) -> Any:
    context = a_context(
        sink=Log() if log is None else log, workflow_name="Nightly", step_id="tell", idempotency_key="w:tell", chain_depth=4
    )
    try:
        return await SendNotification().run(SendNotificationConfig.model_validate({"message": "A new lead", **config}), context)
    finally:
        await outbound.close()


def notify(**config: Any) -> Any:
    return asyncio.run(send(**config))


def post(answer: Any = None, log: Log | None = None, path: str = "/hooks/T0/s3cret", **config: Any) -> tuple[Any, list[Any]]:
    async def run() -> tuple[Any, list[Any]]:
        async with web_server(answer) as server:
            return await send(log, url=f"{server.url}{path}", **config), server.asked

    return asyncio.run(run())


def failure(kind: type[Exception], answer: Any, **config: Any) -> Any:
    with pytest.raises(kind) as caught:
        post(answer, channels=["webhook"], **config)
    return caught.value


@pytest.mark.parametrize("spelling", [{"role": "AE"}, {"toRole": "AE"}, {"to_role": "AE"}], ids=lambda config: next(iter(config)))
def test_a_role_is_notified_in_the_dashboard_however_it_is_spelt(spelling):
    """CONTRACT.md section 7: to a role, user or channel; stored and shown in the dashboard."""
    found = notify(title="Lead", level="success", **spelling)
    assert isinstance(found, Noted)
    assert found.notices == [Notice(title="Lead", message="A new lead", level="success", role="AE")]
    assert found.output == {"title": "Lead", "message": "A new lead", "level": "success", "to": {"role": "AE"}, "channels": ["in_app"]}


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"toUser": "ann"}, {"user": "ann"}),
        ({"to_user": "ann"}, {"user": "ann"}),
        ({"toChannel": "sales"}, {"channel": "sales"}),
        ({"to_channel": "sales"}, {"channel": "sales"}),
        ({}, {}),
    ],
    ids=["toUser", "to_user", "toChannel", "to_channel", "everybody"],
)
def test_users_channels_and_everybody_can_be_notified(config, wanted):
    (notice,) = notify(**config).notices
    assert {name: getattr(notice, name) for name in ("role", "user", "channel") if getattr(notice, name)} == wanted


def test_without_a_title_the_name_of_the_workflow_stands_there():
    assert notify().notices[0].title == "Nightly"


def test_a_title_is_one_line():
    assert notify(title="one\r\n two").notices[0].title == "one two"


def test_a_message_that_is_data_is_shown_as_json():
    assert notify(message={"rows": [1]}).notices[0].message == '{"rows": [1]}'


def test_a_title_taken_from_a_long_name_is_cut():
    context = a_context(workflow_name="n" * 300)
    noted = asyncio.run(SendNotification().run(SendNotificationConfig(message="x"), context))
    assert noted.notices[0].title == "n" * 200


def test_the_log_says_who_is_told():
    log = Log()
    notify(log=log, role="AE", title="Lead")
    notify(log=log)
    assert log.text == "Notified role AE: Lead\nNotified everybody: Nightly"


def test_a_webhook_gets_it_as_json():
    output, (asked,) = post(channels=["webhook"], title="Lead", level="warning", user="ann")
    assert (asked.method, asked.target, asked.headers["content-type"]) == ("POST", "/hooks/T0/s3cret", "application/json")
    assert json.loads(asked.body) == {
        "title": "Lead", "message": "A new lead", "level": "warning", "role": "", "user": "ann", "channel": "",
        "workflow": {"id": "w", "name": "Nightly"}, "step": "tell",
    }  # fmt: skip
    assert output["channels"] == ["webhook"] and not isinstance(output, Noted)


def test_every_post_carries_the_key_of_the_step_and_the_depth_of_the_chain():
    _, (asked,) = post(channels=["webhook"])
    assert (asked.headers["idempotency-key"], asked.headers["hybrid-chain-depth"]) == ("w:tell", "5")


@pytest.mark.parametrize(
    ("title", "text"), [("", "a &lt;b&gt; &amp; c"), ("T & U", "*T &amp; U*\na &lt;b&gt; &amp; c")], ids=["without a title", "with a title"]
)
def test_slack_gets_a_text_with_its_signs_escaped(title, text):
    _, (asked,) = post(channels=["slack"], title=title, message="a <b> & c")
    assert json.loads(asked.body) == {"text": text}


def test_several_ways_are_all_taken_and_each_once():
    found, asked = post(channels=["in_app", "webhook", "webhook"], role="AE")
    assert isinstance(found, Noted) and len(found.notices) == len(asked) == 1


def test_429_and_server_errors_are_tried_again():
    error = failure(Retry, plain(429, retry_after="9"))
    assert (error.kind, error.after_seconds) == ("429", 9.0)
    assert failure(Retry, plain(503)).kind == "503"


@pytest.mark.parametrize("status", [301, 302, 400, 404, 410])
def test_any_other_refusal_fails_the_step_with_what_was_said(status):
    assert f"answered {status}" in str(failure(Fail, plain(status, b"no such hook", location="/elsewhere")))


def test_silence_is_a_timeout(monkeypatch):
    monkeypatch.setattr("workflows_app.actions.webhook.DEADLINE_SECONDS", 0.2)

    async def silence(request, writer):
        await asyncio.sleep(60)

    error = failure(Retry, silence)
    assert error.kind == "timeout" and "no complete answer within 0.2 s" in str(error)


def test_nobody_there_is_a_connection_error():
    with pytest.raises(Retry) as caught:
        notify(channels=["slack"], url="http://127.0.0.1:9/hook")
    assert caught.value.kind == "connection"


@pytest.mark.parametrize("status", [200, 404, 500])
def test_the_path_of_a_hook_is_a_secret_and_shown_nowhere(status):
    log = Log()
    try:
        post(plain(status), log, channels=["slack"])
    except (Fail, Retry) as error:
        log.append(("ERROR", str(error)))
    assert "http://127.0.0.1" in log.text and "s3cret" not in log.text


def test_an_address_that_calls_may_not_reach_is_refused(server_mode):
    with pytest.raises(Fail, match="not a public address"):
        notify(channels=["webhook"], url="http://127.0.0.1:9/hook")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "'message' is missing"),
        ({"message": "x", "role": "a", "toUser": "b"}, "give one of 'role', 'user' and 'channel', not several"),
        ({"message": "x", "channels": ["email"]}, "the channel 'email' needs addresses under 'email'"),
        ({"message": "x", "channels": ["slack"]}, "the channel 'slack' needs a 'url'"),
        (
            {"message": "x", "channels": ["slack", "webhook"], "url": "http://x/"},
            "'webhook' and 'slack' would go to the same 'url': use two steps",
        ),
        ({"message": "x", "url": "x/s3cret"}, "the url must begin with http:// or https:// and name a host"),
        ({"message": "x", "email": "nobody"}, "'nobody' is not an e-mail address"),
        ({"message": "x", "channels": ["email"], "email": ["a@b.example"] * 51}, "'email' has 51 addresses; there may be 50"),
        ({"message": "x", "rol": "a"}, "there is no key 'rol'; did you mean 'role'?"),
    ],
    ids=["message", "two", "no address", "no url", "both", "url", "address", "addresses", "key"],
)
def test_a_wrong_configuration_is_refused_beforehand(config, message):
    assert message in [found for _, found in actions.find("send_notification").check(config)]


@pytest.mark.parametrize("config", [{"role": "a", "toRole": "b"}, {"level": "loud"}, {"channels": []}, {"channels": ["pigeon"]}], ids=str)
def test_other_values_are_refused_too(config):
    assert actions.find("send_notification").check({"message": "x", **config})


def test_templated_values_are_taken_on_trust_and_secrets_may_be_read():
    action = actions.find("send_notification")
    config = {"message": "{{ a.output }}", "channels": ["email", "slack"], "email": "{{ params.to }}", "url": "{{ secrets.HOOK }}"}
    assert action.check(config) == []
    assert action.takes_secrets
