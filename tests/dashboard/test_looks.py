"""Statuses, times, durations and JSON in words."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django_cotton.compiler_regex import CottonCompiler

from tests.factories import NOW, later
from workflows_app.dashboard import looks
from workflows_app.dashboard.looks import Look, Moment, Took
from workflows_app.graph.statuses import Status


def test_every_status_has_its_own_glyph_word_and_colour():
    seen = [*looks.LOOKS.values(), looks.SKIPPED]
    assert set(looks.LOOKS) == set(Status)
    assert len({(look.glyph) for look in seen}) == len({look.word for look in seen}) == len({look.css for look in seen}) == 7


def test_a_skipped_step_looks_skipped_although_its_status_is_stopped():
    assert looks.look("STOPPED", is_skipped=True) == looks.SKIPPED
    assert looks.look("STOPPED").word == "Stopped"


@pytest.mark.parametrize(
    ("word", "status"), [("failed", "FAILED"), ("FAILED", "FAILED"), ("waiting", "WAITING_FOR_DEPENDENCY"), ("nonsense", None), ("", None)]
)
def test_a_status_in_a_url_is_read_in_our_word_or_the_contracts(word, status):
    assert looks.status_named(word) == status


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (0.9, "now"),
        (-5, "5 sec ago"),
        (5, "in 5 sec"),
        (-90, "1 min ago"),
        (-7300, "2 hr ago"),
        (-200_000, "2 d ago"),
        (3 * 86_400, "in 3 d"),
    ],
)
def test_a_distance_in_time_is_said_in_its_largest_unit(seconds, words):
    assert looks.relative(timedelta(seconds=seconds)) == words


def test_a_moment_says_its_zone_and_carries_the_exact_time():
    moment = looks.moment(NOW, now=later(61))
    assert (moment.words, moment.title, moment.iso) == ("1 min ago", "2026-11-21 12:00:00 UTC", "2026-11-21T12:00:00.000+00:00")
    assert looks.moment(None, now=NOW) is None
    assert looks.moment(NOW.isoformat(), now=NOW) == looks.moment(NOW, now=NOW)


def test_what_runs_still_carries_its_start_so_that_the_page_can_count_on():
    assert looks.took(NOW, None, now=later(75)) == looks.Took("1 min 15 sec", since="2026-11-21T12:00:00.000+00:00")
    assert looks.took(NOW, later(3), now=later(75)) == looks.Took("3 sec")
    assert looks.took(None, None, now=NOW) is None


def test_less_than_a_second_is_said_in_milliseconds():
    assert looks.took(NOW, NOW + timedelta(microseconds=42_700), now=NOW).words == "42 ms"
    assert looks.took(NOW, NOW, now=NOW).words == "0 sec"


def test_long_json_is_cut_and_says_how_much_is_missing():
    text = looks.pretty("x" * 30_000)
    assert len(text) < 20_100
    assert "10,002 more characters" in text


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (list("abcdef"), "a, b, c, d and 2 more")],
)
def test_names_are_listed_like_a_sentence(names, words):
    assert looks.listed(names) == words


def test_a_count_of_one_has_no_plural():
    assert [looks.plural(n, "step") for n in (0, 1, 2_000)] == ["0 steps", "1 step", "2,000 steps"]


@pytest.mark.parametrize(
    ("shown", "drawn"),
    [
        (looks.look("RUNNING"), '<span class="status s-running"><span class="glyph" aria-hidden="true">◐</span>Running</span>'),
        (Look("x", "<", "a & b"), '<span class="status s-x"><span class="glyph" aria-hidden="true">&lt;</span>a &amp; b</span>'),
        (Moment("2026", "5 <min> ago", '"'), '<time datetime="2026" title="&quot;" data-ago>5 &lt;min&gt; ago</time>'),
        (Took("<2 sec"), '<span class="num">&lt;2 sec</span>'),
        (Took("2 sec", since='">'), '<span class="num" data-since="&quot;&gt;">2 sec</span>'),
    ],
)
def test_what_is_drawn_is_escaped_and_is_what_its_component_shows(shown, drawn):
    name, attribute = {Look: ("status", "look"), Moment: ("time", "moment"), Took: ("took", "took")}[type(shown)]
    assert shown.drawn == drawn
    written = CottonCompiler().process(f'<c-{name} :{attribute}="it" />')
    assert Template(written).render(Context({"it": shown})).strip() == drawn
