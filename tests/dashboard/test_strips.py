"""The step strip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dashboard import strips
from workflows_app.dashboard.looks import LOOKS
from workflows_app.graph.statuses import Status

DONE, FAILED, WAITING = LOOKS[Status.COMPLETED], LOOKS[Status.FAILED], LOOKS[Status.WAITING_FOR_DEPENDENCY]


def test_each_step_has_a_block_that_names_it_and_the_strip_says_the_same_in_words():
    strip = strips.of_steps([("fetch", DONE), ("load", FAILED), ("report", WAITING)])
    assert [(block.css, block.title) for block in strip.blocks] == [
        ("completed", "fetch: Completed"),
        ("failed", "load: Failed"),
        ("waiting", "report: Waiting"),
    ]
    assert strip.label == "1 completed, 1 failed, 1 waiting"


def test_a_block_is_drawn_with_its_title_as_text_and_a_failed_one_is_taller():
    drawn = strips.of_steps([("<b>", DONE), ("load", FAILED)]).drawn
    assert '<rect class="b-completed" x="0" y="2.5" width="12" height="9"><title>&lt;b&gt;: Completed</title></rect>' in drawn
    assert '<rect class="b-failed" x="14" y="0" width="12" height="14"><title>load: Failed</title></rect>' in drawn
    assert drawn.startswith('<svg class="strip" width="28" height="14" viewBox="0 0 28 14" role="img" aria-label="1 completed, 1 failed">')
    assert "<rect" not in strips.of_steps([]).drawn and 'aria-label="no steps"' in strips.of_steps([]).drawn


@pytest.mark.parametrize("steps", [1, 7, 25, 60])
def test_blocks_do_not_overlap_and_stay_inside_the_strip(steps):
    strip = strips.of_steps([(f"s{n}", DONE) for n in range(steps)])
    for block, following in zip(strip.blocks, strip.blocks[1:], strict=False):
        assert block.x + block.width < following.x
    assert strip.blocks[-1].x + strip.blocks[-1].width <= strip.width <= 200


@given(st.dictionaries(st.sampled_from(strips.ORDER), st.integers(0, 10_000)))
def test_bands_fit_whatever_the_counts_and_none_that_has_steps_is_invisible(counts):
    strip = strips.of_counts(counts)
    assert strip.width <= strips.WIDTH
    assert {block.css for block in strip.blocks} == {seen.css for seen, n in counts.items() if n}
    assert all(block.width >= 4 for block in strip.blocks)


def test_a_strip_of_nothing_says_so():
    assert strips.of_counts({}).label == "no steps"
