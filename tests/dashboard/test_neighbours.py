"""From one workflow to the one before or after it."""

import pytest

from tests.dashboard.conftest import text_of
from tests.factories import a_workflow


def test_older_and_newer_lead_from_one_to_the_next_past_parts_of_others(reader):
    first, second = a_workflow(), a_workflow()
    a_workflow(parent=first)
    third = a_workflow()
    assert reader.get(f"/workflows/{second.uid}/newer").headers["Location"] == f"/workflows/{third.uid}"
    assert reader.get(f"/workflows/{third.uid}/older").headers["Location"] == f"/workflows/{second.uid}"


@pytest.mark.parametrize(("side", "words"), [("older", "This is the oldest workflow."), ("newer", "This is the newest workflow.")])
def test_at_the_end_one_stays_and_is_told(reader, side, words):
    response = reader.get(f"/workflows/{a_workflow().uid}/{side}", follow=True)
    assert words in text_of(response)


def test_the_page_leads_both_ways_by_a_key_each(reader):
    uid = a_workflow().uid
    html = reader.get(f"/workflows/{uid}").content.decode()
    assert f'href="/workflows/{uid}/older"' in html
    assert f'href="/workflows/{uid}/newer"' in html
    assert 'data-key="["' in html
    assert 'data-key="]"' in html


def test_of_what_is_not_there_nothing_is_next(reader):
    assert reader.get("/workflows/00000000-0000-4000-8000-000000000000/older").status_code == 404
