"""`manage.py queue`: pause and resume, and words for who is late."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from workflows_app.engine import pausing

pytestmark = pytest.mark.django_db(transaction=True)


def queue(*arguments: str) -> str:
    said = StringIO()
    call_command("queue", *arguments, stdout=said)
    return said.getvalue()


def test_it_pauses_with_a_reason_and_resumes() -> None:
    assert "what runs goes on" in queue("pause", "--reason", "deploying")
    found = pausing.current()
    assert found is not None and (found.reason, found.by) == ("deploying", None)
    assert "what is due starts now" in queue("resume")
    assert not pausing.is_paused()


def test_twice_is_refused_with_what_is() -> None:
    queue("pause", "--reason", "deploying")
    with pytest.raises(CommandError, match=r"paused already: since .* \(deploying\)"):
        queue("pause")
    queue("resume")
    with pytest.raises(CommandError, match="The queue is not paused"):
        queue("resume")


def test_no_other_word_is_taken() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        queue("stop")
