"""The list of guards that the mutation check removes names what is there: texts, tests, databases."""

from __future__ import annotations

import pytest

from tests.chaos.guards import BOTH, GUARDS, Guard
from tests.chaos.mutations import ROOT, NotFound, main, weakened


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_once_in_its_file_and_its_tests_are_there(guard: Guard) -> None:
    assert weakened(guard, (ROOT / guard.file).read_text()) != (ROOT / guard.file).read_text()
    for test in guard.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists()
        assert not name or f"def {name}(" in (ROOT / file).read_text()
    assert guard.databases and set(guard.databases) <= set(BOTH)


def test_names_tell_guards_apart() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("whole", ["", "a guard, a guard"])
def test_a_text_that_does_not_stand_once_is_told(whole: str) -> None:
    with pytest.raises(NotFound, match=f"stands {whole.count('guard')} times in file.py, not once"):
        weakened(Guard("name", "file.py", "guard", "", ()), whole)


def test_a_check_of_nothing_is_no_success() -> None:
    assert main(["--only", "no such guard"]) == 1
