"""Cron expressions: read strictly, counted through changes of the clock, said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.engine import cron

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(expression: str, after: str, *, zone: str = BERLIN, count: int = 3) -> list[str]:
    return [f"{found:%m-%d %H:%M}" for found in cron.upcoming(expression, zone, after=at(after), count=count)]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("* * * *", "has 4 fields; five are needed: minute hour day-of-month month day-of-week"),
        ("", "has 0 fields; five are needed"),
        ("0 0 0 * * *", "has 6 fields; there are five, without seconds"),
        ("@daily", "write '0 0 * * *' for @daily"),
        ("61 * * * *", "the minute '61' is not understood; allowed: * or 0–59"),
        ("0 24 * * *", "the hour '24' is not understood; allowed: * or 0–23"),
        ("0 0 32 * *", "the day-of-month '32' is not understood; allowed: * or 1–31, L for the last day"),
        ("0 0 1 FOO *", "the month 'FOO' is not understood; allowed: * or 1–12 or JAN–DEC"),
        ("0 0 * * 8", "the day-of-week '8' is not understood; allowed: * or 0–7 or SUN–SAT"),
        ("5-1 * * * *", "the minute '5-1' is not understood"),
        ("*/0 * * * *", "the minute '*/0' is not understood"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 30 2 *", "never comes"),
        ("² * * * *", "the minute '²' is not understood"),
        ("0" * 101 + " * * * *", "may have 100 characters"),
    ],
)
def test_what_is_not_understood_is_told_with_its_field_and_what_is_allowed(expression, said):
    with pytest.raises(cron.InvalidCron) as caught:
        cron.check(expression, "UTC")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlim", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("Mars/Base", "name one like Europe/Berlin, or UTC"),
        ("../../etc/passwd", "there is no time zone"),
        ("", "there is no time zone ''"),
    ],
)
def test_an_unknown_time_zone_is_told_with_the_one_that_was_meant(name, said):
    with pytest.raises(cron.InvalidTimezone, match="there is no time zone") as caught:
        cron.check("* * * * *", name)
    assert said in str(caught.value)


def test_the_next_times_are_those_of_the_time_zone_and_later_than_the_moment():
    assert times("0 9 * * MON-FRI", "2026-11-20T08:00") == ["11-23 08:00", "11-24 08:00", "11-25 08:00"]
    assert times("0 9 * * *", "2026-07-01T00:00", count=1) == ["07-01 07:00"]
    assert times("*/20 * * * *", "2026-11-21T12:00:30", zone="UTC", count=2) == ["11-21 12:20", "11-21 12:40"]


def test_a_time_that_spring_leaves_out_comes_just_after():
    """On 2026-03-29 Berlin goes from 02:00 to 03:00, which is 01:00 UTC."""
    assert times("30 2 * * *", "2026-03-28T12:00", count=2) == ["03-29 01:00", "03-30 00:30"]
    assert times("0,30 2 * * *", "2026-03-28T12:00", count=2) == ["03-29 01:00", "03-30 00:00"]
    assert times("*/30 * * * *", "2026-03-29T00:00", count=4) == ["03-29 00:30", "03-29 01:00", "03-29 01:30", "03-29 02:00"]


def test_a_time_that_autumn_repeats_comes_once_and_every_hour_comes_every_hour():
    """On 2026-10-25 Berlin goes from 03:00 back to 02:00, which is 01:00 UTC."""
    assert times("30 2 * * *", "2026-10-24T12:00", count=2) == ["10-25 00:30", "10-26 01:30"]
    assert times("30 2 * * *", "2026-10-25T00:30", count=1) == ["10-26 01:30"]
    assert times("0 * * * *", "2026-10-24T23:30", count=4) == ["10-25 00:00", "10-25 01:00", "10-25 02:00", "10-25 03:00"]


def test_in_the_hour_that_is_repeated_the_next_time_is_never_one_that_was():
    """02:15 comes twice; asked in the second, 02:50 (the first) is over."""
    for minute in range(60):
        moment = at(f"2026-10-25T01:{minute:02}")
        found = cron.upcoming("50 2 * * *", BERLIN, after=moment, count=3)
        assert found[0] > moment and found == sorted(found)


def test_the_latest_time_counts_the_moment_itself():
    def latest(until: str) -> str:
        found = cron.latest("*/15 * * * *", "UTC", until=at(until))
        assert found is not None
        return f"{found:%H:%M:%S}"

    assert (latest("2026-11-21T12:15"), latest("2026-11-21T12:14:59.999")) == ("12:15:00", "12:00:00")
    assert latest("2026-11-21T12:15:00.000001") == "12:15:00"


ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"])
CRONS = st.sampled_from(
    [
        "* * * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "0,30 1-3 * * *",
        "5 */6 * * *",
        "0 9 * * MON-FRI",
        "0 0 L * *",
        "15 0 29 2 *",
        "0 0 * * 1#2",
    ]
)
MOMENTS = st.datetimes(datetime(2011, 12, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@settings(max_examples=200, deadline=None)
@given(CRONS, ZONES, MOMENTS)
def test_times_only_go_forward_and_asking_from_any_of_them_gives_the_next(expression, zone, moment):
    found = cron.upcoming(expression, zone, after=moment, count=4)
    assert moment < found[0] and all(one < other for one, other in pairwise(found))
    assert all(cron.following(expression, zone, after=one) == other for one, other in pairwise(found))
    before = cron.latest(expression, zone, until=found[2])
    assert before is not None and before <= found[2]


def test_an_hour_of_every_minute_has_sixty_times():
    start = at("2026-11-21T12:00") - timedelta(seconds=1)
    found = cron.upcoming("* * * * *", BERLIN, after=start, count=60)
    assert found[-1] - found[0] == timedelta(minutes=59)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("*/5 * * * *", "Every 5 minutes"),
        ("0 9 * * MON-FRI", "At 09:00, Monday through Friday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("nonsense", "nonsense"),
        ("a b c d e", "a b c d e"),
    ],
)
def test_words_say_when_and_what_has_none_is_shown_as_it_is(expression, said):
    assert cron.words(expression) == said


def test_words_do_not_depend_on_the_language_of_the_host(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert cron.words("0 17 * * *") == "At 17:00"
