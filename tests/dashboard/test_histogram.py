"""The last 24 hours above the list."""

import re
from collections import Counter
from datetime import UTC, timedelta

from tests.dashboard.conftest import text_of
from tests.factories import NOW, a_workflow, later
from workflows_app.dashboard import histogram
from workflows_app.dashboard.filters import of_text
from workflows_app.engine.clock import database_now
from workflows_app.graph.statuses import Status

DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def ended(at, statuses=None):
    return a_workflow(statuses=statuses or DONE, ended_at=at, updated_at=at, created_at=at)


def test_a_bar_is_stacked_and_leads_to_what_it_counts(db):
    for seconds in (-1_000, -1_001, -1_002):
        ended(later(seconds))
    ended(later(-1_003), FAILED)
    found = histogram.build(of_text("status=failed&since=24h&q=x"), now=NOW)
    (bar,) = found.bars
    assert bar.title == "11:30 to 11:45 UTC: 3 completed, 1 failed"
    completed, failed = histogram._segments(Counter({Status.COMPLETED: 3, Status.FAILED: 1}), 4)
    assert (completed.y + completed.height, failed.y + failed.height) == (found.height, completed.y)
    assert completed.height > failed.height > 2
    assert [layer.css for layer in found.layers] == ["completed", "failed"]
    assert found.layers[1].path == f"M{bar.x} {failed.y}h8v{failed.height}h-8z"
    assert bar.url == "?status=failed&q=x&from=2026-11-21T11:30&to=2026-11-21T11:45"


def test_one_failure_among_thousands_is_seen(db):
    segments = histogram._segments(Counter({s: 5_000 if s == Status.COMPLETED else 1 for s in Status}), 5_005)
    assert all(segment.height >= histogram.LEAST for segment in segments)
    assert min(segment.y for segment in segments) >= 0


def test_the_legend_and_the_table_say_it_in_words(db):
    ended(later(-1_000), FAILED)
    ended(later(-5_000))
    found = histogram.build(of_text("status=failed"), now=NOW)
    assert found.label == "Workflows of the last 24 hours: 1 completed, 1 failed"
    assert [(item.look.css, item.words, item.is_chosen) for item in found.legend if item.words[0] != "0"] == [
        ("completed", "1 completed", False), ("failed", "1 failed", True),
    ]  # fmt: skip
    assert [(hour.words, hour.counts) for hour in found.hours] == [
        ("11:00 to 12:00 UTC", "1 failed"), ("10:00 to 11:00 UTC", "1 completed"),
    ]  # fmt: skip


def test_bars_outside_the_range_stand_back(db):
    ended(later(-1_000))
    ended(later(-10_000))
    found = histogram.build(of_text("from=2026-11-21T11:00&to=2026-11-21T12:00"), now=NOW)
    assert [bar.is_outside for bar in found.bars] == [True, False]


def test_what_a_bar_counts_is_what_its_link_shows(reader):
    now = database_now()
    ended(now - timedelta(hours=3))
    ended(now - timedelta(hours=3), FAILED)
    a_workflow(created_at=now - timedelta(hours=5))
    html = reader.get("/workflows").content.decode()
    bars = re.findall(r'<a href="([^"]+)" tabindex="-1" class="inside"><title>([^<]+)</title>', html)
    assert len(bars) in {2, 3}
    for url, title in bars:
        page = reader.get(url.replace("&amp;", "&")).content.decode()
        assert page.count('<tr id="w-') == sum(int(n) for n in re.findall(r"(\d+) [a-z]+(?:,|$)", title.split(": ")[1]))


def test_a_quiet_day_says_so(reader):
    a_workflow(created_at=database_now().astimezone(UTC) - timedelta(days=3))
    assert "Nothing ran in the last 24 hours." in text_of(reader.get("/workflows"))
