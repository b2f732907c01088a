"""Signed webhooks: who knows the secret of an active source, just now, and nobody else (standardwebhooks.com)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.factories import NOW
from workflows_app.access import event_sources, webhooks
from workflows_app.access.webhooks import BadSignature
from workflows_app.models import EventSource

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, SENT_AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
THEN = datetime.fromtimestamp(int(SENT_AT), UTC)
GOOD = {"webhook-id": MESSAGE, "webhook-timestamp": SENT_AT, "webhook-signature": SIGNATURE}


@pytest.fixture
def source(db: None) -> EventSource:
    return event_sources.create(name="shop", secret=SECRET, now=NOW).row


def verify(source: str = "shop", body: bytes = BODY, at: datetime = THEN, **headers: str) -> str:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return webhooks.verify(source=source, headers={**GOOD, **changed}, body=body, now=at)


def signed(message: str = MESSAGE, sent_at: str = SENT_AT, body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    found = webhooks.sign(key=webhooks.key_of(secret), message=message, sent_at=sent_at, body=body).decode()
    return {"webhook_id": message, "webhook_timestamp": sent_at, "webhook_signature": found}


def test_the_example_of_the_specification_is_taken(source: EventSource) -> None:
    assert verify() == MESSAGE
    assert signed()["webhook_signature"] == SIGNATURE


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_signature": f"v1,{'A' * 43}= {SIGNATURE}"},
        {"webhook_signature": f"v1a,whatever   {SIGNATURE}"},
        {"webhook_signature": f"nonsense {SIGNATURE} v1, ,"},
    ],
    ids=["second", "other version", "among nonsense"],
)
def test_one_of_several_signatures_is_enough(source: EventSource, headers: dict[str, str]) -> None:
    """A sender signs with the old and the new secret while it changes them."""
    assert verify(**headers) == MESSAGE


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_signature": ""},
        {"webhook_signature": SIGNATURE.removeprefix("v1,")},
        {"webhook_signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook_signature": SIGNATURE.replace("g0", "g1")},
        {"webhook_signature": SIGNATURE.swapcase()},
        {"webhook_signature": SIGNATURE[:-1]},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1"},
        {"webhook_signature": "v1,ä\udcff"},
        {"webhook_id": ""},
        {"webhook_id": MESSAGE + "x"},
        {"webhook_timestamp": ""},
        {"webhook_timestamp": SENT_AT + "0"},
        {"webhook_timestamp": "1614265331"},
        {"webhook_timestamp": f" {SENT_AT}"},
        {"webhook_timestamp": f"{SENT_AT}.0"},
    ],
    ids=lambda headers: "=".join(map(ascii, next(iter(headers.items())))),
)
def test_any_other_header_is_refused(source: EventSource, headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        verify(**headers)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_missing_header_is_refused(source: EventSource, missing: str) -> None:
    headers = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(BadSignature):
        webhooks.verify(source="shop", headers=headers, body=BODY, now=THEN)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY.replace(b" ", b""), BODY.replace(b"2432", b"2433"), b"\xff\xfe"])
def test_the_signature_is_of_these_very_bytes(source: EventSource, body: bytes) -> None:
    with pytest.raises(BadSignature):
        verify(body=body)


@pytest.mark.parametrize(("seconds", "is_taken"), [(0, True), (300, True), (-300, True), (301, False), (-301, False), (10**7, False)])
def test_a_message_is_good_for_five_minutes(source: EventSource, seconds: int, is_taken: bool) -> None:
    headers = signed(sent_at=str(int(SENT_AT) + seconds))
    if is_taken:
        assert verify(**headers) == MESSAGE
    else:
        with pytest.raises(BadSignature):
            verify(**headers)


@pytest.mark.parametrize("sent_at", ["nan", "inf", "-1614265330", "1e9", "0x6037", "१६१४२६५३३०", "9" * 400, "1_614_265_330", ""])
def test_a_time_that_is_no_plain_number_is_refused_even_when_it_is_signed(source: EventSource, sent_at: str) -> None:
    with pytest.raises(BadSignature):
        verify(**signed(sent_at=sent_at))


@pytest.mark.parametrize("message", ["", "x" * 256, "a\tb", "ä", "a\0"])
def test_an_id_that_is_no_key_is_refused_even_when_it_is_signed(source: EventSource, message: str) -> None:
    with pytest.raises(BadSignature):
        verify(**signed(message=message))


@pytest.mark.parametrize("name", ["other", "", "SHOP", "shop ", "a/b", "shop\0", "ä", "x" * 5000])
def test_an_unknown_source_is_refused_with_the_words_of_a_bad_signature(source: EventSource, name: str) -> None:
    """Nobody learns from the answer which sources there are."""
    with pytest.raises(BadSignature) as unknown:
        verify(source=name)
    with pytest.raises(BadSignature) as unsigned:
        verify(webhook_signature="v1,no")
    assert str(unknown.value) == str(unsigned.value)


def test_an_unknown_source_is_not_opened_by_the_key_that_stands_in_for_it(source: EventSource) -> None:
    secret = base64.b64encode(webhooks.NOBODYS_KEY).decode()
    with pytest.raises(BadSignature):
        verify(source="other", **signed(secret=secret))


def test_an_inactive_source_is_refused(source: EventSource) -> None:
    EventSource.objects.update(is_active=False)
    with pytest.raises(BadSignature):
        verify()


def test_signatures_are_compared_in_constant_time(source: EventSource, monkeypatch: Any) -> None:
    """The comparison goes through hmac.compare_digest, for every signature that was sent."""
    seen: list[bytes] = []
    monkeypatch.setattr(webhooks.hmac, "compare_digest", lambda a, b: seen.append(a) or a == b)
    verify(webhook_signature=f"{SIGNATURE} v1,other")
    assert seen == [SIGNATURE.encode(), b"v1,other"]


def test_a_new_source_gets_a_secret_of_its_own(db: None) -> None:
    one, two = (event_sources.create(name=name, now=NOW) for name in ("one", "two"))
    assert one.secret.startswith("whsec_") and len(webhooks.key_of(one.secret)) == 32 and one.secret != two.secret
    assert webhooks.verify(source="one", headers=_dashed(signed(secret=one.secret)), body=BODY, now=THEN) == MESSAGE
    with pytest.raises(BadSignature):
        webhooks.verify(source="two", headers=_dashed(signed(secret=one.secret)), body=BODY, now=THEN)


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_QUJD", "plain", SECRET.removeprefix("whsec_"), "whsec_" + "!" * 40, "whsec_" + "QUJD" * 30]
)
def test_a_secret_that_is_none_is_refused_without_showing_it(db: None, secret: str) -> None:
    with pytest.raises(event_sources.InvalidSource) as caught:
        event_sources.create(name="shop", secret=secret, now=NOW)
    assert secret not in str(caught.value).replace("whsec_ and", "")
    assert not EventSource.objects.exists()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 101, "a\n", "a\0"])
def test_a_name_that_an_address_cannot_hold_is_refused(db: None, name: str) -> None:
    with pytest.raises(event_sources.InvalidSource, match="is not allowed"):
        event_sources.create(name=name, now=NOW)


def test_a_name_is_taken_once(source: EventSource) -> None:
    with pytest.raises(event_sources.InvalidSource, match="already"):
        event_sources.create(name="shop", now=NOW)
    assert EventSource.objects.get().signing_secret == SECRET


def test_a_changed_secret_ends_the_old_one(source: EventSource) -> None:
    made = event_sources.change(source=source, make_new=True)
    with pytest.raises(BadSignature):
        verify()
    assert verify(**signed(secret=made)) == MESSAGE
    assert event_sources.change(source=source, secret=SECRET) == ""
    assert verify() == MESSAGE
    assert event_sources.change(source=source) == "" and verify() == MESSAGE
