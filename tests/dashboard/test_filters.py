"""The list's filters in the URL."""

from datetime import timedelta

import pytest
from django.http import QueryDict

from tests.factories import NOW
from workflows_app.dashboard.filters import Filters
from workflows_app.graph.statuses import Status

HOUR = timedelta(hours=1)


def filters(query: str) -> Filters:
    return Filters.from_query(QueryDict(query))


def test_several_statuses_come_by_comma_or_repeated_in_either_spelling():
    both = {Status.FAILED, Status.RUNNING}
    assert filters("status=failed,RUNNING").statuses == filters("status=FAILED&status=running").statuses == both
    assert filters("status=failed,running").url() == "?status=failed%2Crunning"


def test_what_is_in_the_box_and_beside_it_must_both_hold():
    assert filters("status=failed,running&q=status:failed").statuses == {Status.FAILED}
    nothing = filters("status=running&q=status:failed")
    assert nothing.finds_nothing
    assert not filters("status=failed&q=status:failed").finds_nothing
    assert filters("template=a&q=template:b").templates == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=sleeping", "There is no status “sleeping”. There are: pending, waiting, running, completed, failed, stopped."),
        ("q=status:failed,odd", "There is no status “odd”"),
        ("since=yesterday", "“yesterday” is no length of time. Write 30m, 24h, 7d or 2w."),
        ("q=since:0h", "“0h” is no length of time"),
        ("from=noon", "“noon” is no time. Write 2026-11-21T14:30, in UTC."),
        ("to=2026-13-01", "“2026-13-01” is no time"),
        ("q=colour:red", "“colour:” is not a key of the search"),
    ],
)
def test_what_means_nothing_is_told_and_filters_nothing(query, said):
    found = filters(query)
    assert said in found.problems[0]
    assert (found.statuses - {Status.FAILED}, found.between(NOW).is_set) == (set(), False)


def test_nothing_is_wrong_with_what_is_right():
    assert filters("status=failed&since=24h&from=2026-11-21T10:00&to=2026-11-21T12:00%2B01:00&q=load tag:eu").problems == []


def test_times_are_counted_from_now_and_the_narrower_one_holds():
    assert filters("since=2h").between(NOW).start == NOW - 2 * HOUR
    assert filters("since=2d&q=since:1h").between(NOW).start == NOW - HOUR
    times = filters("from=2026-11-21T10:00&to=2026-11-21T12:00 01:00").between(NOW)
    assert (times.start, times.end) == (NOW - 2 * HOUR, NOW - HOUR)


def test_a_url_keeps_the_other_filters_and_starts_again_at_the_newest():
    url = filters("status=FAILED&q=a%26b&after=77").url(template="nightly")
    assert url == "?status=failed&template=nightly&q=a%26b"
    assert filters("").url() == "?"
    assert filters("since=1h").url(from_="2026-11-21T10:00", since="") == "?from=2026-11-21T10%3A00"


def test_a_status_is_taken_in_and_out():
    assert filters("status=failed&q=x").toggled("running") == "?status=running%2Cfailed&q=x"
    assert filters("status=running,failed").toggled("failed") == "?status=running"
    assert filters("status=failed").toggled("failed") == "?"


def test_each_filter_and_each_part_of_the_search_can_be_dropped_by_itself():
    dropped = [(said, left.url()) for said, left in filters("status=failed,running&q=load tag:eu").without()]
    assert dropped == [
        ("status failed or running", "?q=load+tag%3Aeu"),
        ("load", "?status=failed%2Crunning&q=tag%3Aeu"),
        ("tag:eu", "?status=failed%2Crunning&q=load"),
    ]
    assert [said for said, _ in filters("q=load").without()] == ["“load”"]
    assert not filters("after=7&rows=1.2").are_set


@pytest.mark.parametrize("query", ["rows=1.x.3.99999999999999999999999", "rows=1..3&after=" + "9" * 500])
def test_rows_of_a_poll_are_numbers(query):
    assert filters(query).rows == (1, 3)
