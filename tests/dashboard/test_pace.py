"""How often open pages may ask: rarely enough that all of them together cost little, as often as their page says when few are open."""

from __future__ import annotations

import heapq

import pytest

from tests.dashboard.conftest import HX
from tests.factories import a_workflow
from workflows_app.dashboard import attention, kept, living, pace
from workflows_app.dashboard.kept import Kept
from workflows_app.dashboard.pace import Pace
from workflows_app.models import Notification


class Pages:
    """So many open pages, each asking every `interval` seconds times what it was last told, on a clock of its own."""

    def __init__(self, count: int, *, interval: float, cost: float, share: float) -> None:
        self.now, self.cost, self.interval, self.spent, self.stretch = 0.0, cost, interval, 0.0, 1.0
        self.pace = Pace(share=share, clock=lambda: self.now)
        self.due = [interval * number / count for number in range(count)]

    def run(self, seconds: float) -> float:
        """What they cost, as a share of a core."""
        self.spent, end, began = 0.0, self.now + seconds, self.now
        while (due := heapq.heappop(self.due)) < end:
            self.now = due
            self.spent += self.cost
            self.stretch = self.pace.after(self.cost)
            heapq.heappush(self.due, self.now + self.interval * self.stretch)
        heapq.heappush(self.due, due)
        self.now = end
        return self.spent / (end - began)


def test_a_few_pages_ask_as_often_as_they_like():
    pages = Pages(5, interval=1.5, cost=0.002, share=0.1)
    pages.run(60)
    assert pages.stretch == 1.0


@pytest.mark.parametrize(("count", "cost"), [(300, 0.002), (150, 0.01)])
def test_many_pages_settle_at_the_share_they_are_given_and_stay_there(count, cost):
    pages = Pages(count, interval=1.5, cost=cost, share=0.1)
    pages.run(60)
    for _ in range(3):
        assert pages.run(30) == pytest.approx(0.1, rel=0.25)


def test_when_the_others_have_gone_a_page_is_quick_again():
    pages = Pages(300, interval=1.5, cost=0.002, share=0.1)
    pages.run(60)
    assert pages.stretch > 2
    pages.due = pages.due[:1]
    pages.run(60)
    assert pages.stretch == 1.0


def test_no_page_is_told_to_wait_without_end():
    crowd = Pace(share=0.01, clock=lambda: 0.0)
    assert {crowd.after(10.0) for _ in range(9)} == {pace.MOST}


def test_every_answer_to_a_poll_says_how_much_longer_to_wait_also_that_nothing_changed(reader):
    a_workflow()
    poll = reader.get("/workflows", headers=HX)
    assert float(poll.headers[pace.HEADER]) >= 1
    unchanged = reader.get("/workflows", headers={**HX, "HX-PTag": poll.headers["HX-PTag"]})
    assert unchanged.status_code == 304
    assert float(unchanged.headers[pace.HEADER]) >= 1


def test_a_page_is_not_a_poll(reader):
    assert pace.HEADER not in reader.get("/workflows").headers


def test_what_is_kept_is_made_once_within_its_time_and_anew_after_it(monkeypatch):
    found: Kept[int] = Kept()
    made: list[str] = []
    monkeypatch.setattr(kept, "SECONDS", 3600.0)
    assert [found.get("a", lambda: made.append("a") or len(made)) for _ in range(3)] == [1, 1, 1]
    assert found.get("b", lambda: made.append("b") or len(made)) == 2
    monkeypatch.setattr(kept, "SECONDS", 0.0)
    found.clear()
    assert [found.get("a", lambda: made.append("a") or len(made)) for _ in range(2)] == [3, 4]


def test_what_is_kept_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(kept, "SECONDS", 3600.0)
    monkeypatch.setattr(kept, "MOST", 10)
    found: Kept[int] = Kept()
    for number in range(100):
        found.get(number, lambda: 1)
    assert len(found._values) <= 10


def test_a_thousand_polls_count_the_workers_once(db, django_assert_num_queries, monkeypatch, now):
    monkeypatch.setattr(kept, "SECONDS", 3600.0)
    living._counts.clear()
    with django_assert_num_queries(1):
        assert {living.count(now) for _ in range(1_000)} == {0}
    living._counts.clear()


def test_a_notification_changes_the_tag(db, now):
    before = attention.tag()
    Notification.objects.create(title="Look", created_at=now)
    assert attention.tag() != before
