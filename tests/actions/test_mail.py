"""Tests of notifications by e-mail against a real mail server on loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from tests.actions.mail_server import mail_server
from workflows_app.actions.base import Fail, Retry
from workflows_app.actions.mail import message_id
from workflows_app.actions.send_notification import SendNotification, SendNotificationConfig

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")  # there is no TLS on loopback


@pytest.fixture(autouse=True)
def _set_up(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL, settings.EMAIL_USE_TLS = "127.0.0.1", "Engine <engine@example.org>", False


async def send(log: Log | None = None, **config: Any) -> Any:
    context = a_context(sink=Log() if log is None else log, workflow_name="Nightly", idempotency_key="w:tell", timeout_seconds=5.0)
    given = {"message": "Håll: 3 rows\n\nBye", "channels": ["email"], "email": "ann@example.org", **config}
    return await SendNotification().run(SendNotificationConfig.model_validate(given), context)


def mail(settings: Any, *, server: dict[str, Any] | None = None, times: int = 1, **config: Any) -> Any:
    async def run() -> Any:
        async with mail_server(**(server or {})) as served:
            settings.EMAIL_PORT = served.port
            for _ in range(times):
                await send(**config)
            return served

    return asyncio.run(run())


def failure(kind: type[Exception], settings: Any, **server: Any) -> Any:
    with pytest.raises(kind) as caught:
        mail(settings, server=server)
    return caught.value


def test_the_message_arrives_as_it_was_written(settings):
    """CONTRACT.md section 7: channels in-app, e-mail (Django's backend), webhook."""
    log = Log()
    served = mail(settings, title="A new lead", log=log)
    (message,) = served.messages
    assert (message["Subject"], message["From"], message["To"]) == ("A new lead", "Engine <engine@example.org>", "ann@example.org")
    assert message.get_content().replace("\r\n", "\n").strip() == "Håll: 3 rows\n\nBye"
    assert log.text == "E-mail sent to 1 address"


def test_all_addresses_get_it(settings):
    assert mail(settings, email=["ann@example.org", "bob@example.org"]).recipients == [["ann@example.org", "bob@example.org"]]


def test_every_attempt_has_the_same_message_id(settings):
    first, second = mail(settings, times=2).messages
    assert first["Message-ID"] == second["Message-ID"] == message_id("w:tell")
    assert message_id("w:other") != message_id("w:tell")


def test_a_title_cannot_add_headers(settings):
    (message,) = mail(settings, title="Hello\r\nBcc: eve@example.org").messages
    assert message["Bcc"] is None and message["Subject"] == "Hello Bcc: eve@example.org"


@pytest.mark.parametrize(("name", "setting"), [("EMAIL_HOST", "EMAIL_HOST"), ("DEFAULT_FROM_EMAIL", "EMAIL_FROM")])
def test_without_a_mail_server_the_step_fails_and_names_the_setting(settings, name, setting):
    setattr(settings, name, "")
    with pytest.raises(Fail, match=f"E-mail is not set up: the setting {setting} is empty"):
        asyncio.run(send())


def test_a_login_is_made_where_one_is_set(settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "engine", "open sesame"
    assert len(mail(settings, server={"login": ("engine", "open sesame")}).messages) == 1


def test_a_wrong_password_fails_for_good_and_is_not_shown(settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "engine", "0pen-sesame"
    error = failure(Fail, settings, login=("engine", "another"))
    assert "535" in str(error) and "0pen-sesame" not in str(error)


@pytest.mark.parametrize("where", ["to_recipient", "answer"])
def test_a_refusal_for_now_is_tried_again(settings, where):
    error = failure(Retry, settings, **{where: "451 come back later"})
    assert error.kind == "connection" and "451 come back later" in str(error)


def test_an_address_refused_for_good_fails_and_is_named(settings):
    assert "does not take mail for ann@example.org: 550 no such mailbox" in str(failure(Fail, settings, to_recipient="550 no such mailbox"))


def test_a_message_refused_for_good_fails(settings):
    assert "554 looks like spam" in str(failure(Fail, settings, answer="554 looks like spam"))


def test_a_server_that_cannot_encrypt_is_given_nothing(settings):
    settings.EMAIL_USE_TLS = True
    assert "STARTTLS" in str(failure(Fail, settings))


def test_nobody_there_is_a_connection_error(settings):
    settings.EMAIL_PORT = 9
    with pytest.raises(Retry, match=r"127\.0\.0\.1 cannot be reached") as caught:
        asyncio.run(send())
    assert caught.value.kind == "connection"


def test_a_silent_server_is_a_timeout(settings, monkeypatch):
    monkeypatch.setattr("workflows_app.actions.mail.DEADLINE_SECONDS", 0.2)

    async def run() -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        settings.EMAIL_PORT = server.sockets[0].getsockname()[1]
        try:
            await send()
        finally:
            server.close()

    with pytest.raises(Retry, match="did not answer in time") as caught:
        asyncio.run(run())
    assert caught.value.kind == "timeout"
