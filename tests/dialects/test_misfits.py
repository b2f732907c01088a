"""Tests of how a refused value is put into words."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workflows_app.dialects.misfits import Misfit, describe


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["a", "b"] = "a"
    other: int | str | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    listed: list[Inner] = []
    maybe: Inner | None = None
    named: dict[str, Inner] = {}
    renamed: int = Field(0, alias="with")

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 5:
            raise ValueError("the name is too long")
        return name


def misfits(data) -> list[Misfit]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return describe(Outer, caught.value, data)


def only(data) -> tuple[str, str]:
    (found,) = misfits(data)
    return found.path, found.message


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        ({}, "name", "'name' is missing"),
        ({"name": 3}, "name", "must be a valid string, not 3"),
        ({"name": "far too long"}, "name", "the name is too long"),
        ({"name": "x", "nmae": 1}, "nmae", "there is no key 'nmae'; did you mean 'name'?"),
        ({"name": "x", "zzz": 1}, "zzz", "there is no key 'zzz'; there are: name, inner, listed, maybe, named, with"),
        ({"name": "x", "wiht": 1}, "wiht", "there is no key 'wiht'; did you mean 'with'?"),
        ({"name": "x", "with": "y"}, "with", "must be a valid integer, unable to parse string as an integer, not 'y'"),
        ({"name": "x", "inner": {"knid": "a"}}, "inner.knid", "there is no key 'knid'; did you mean 'kind'?"),
        ({"name": "x", "listed": [{}, {"knid": "a"}]}, "listed[1].knid", "there is no key 'knid'; did you mean 'kind'?"),
        ({"name": "x", "maybe": {"knid": "a"}}, "maybe.knid", "there is no key 'knid'; did you mean 'kind'?"),
        ({"name": "x", "inner": {"kind": "c"}}, "inner.kind", "must be 'a' or 'b', not 'c'"),
        ({"name": "x", "inner": {"other": []}}, "inner.other", "must be a valid integer or a valid string, not []"),
        ({"name": "x", "named": {"k": {"kind": "c"}}}, "named.k.kind", "must be 'a' or 'b', not 'c'"),
    ],
)
def test_a_misfit_has_the_authors_path_and_plain_words(data, path, message):
    assert only(data) == (path, message)


def test_a_long_value_is_shortened():
    _, message = only({"name": "x", "with": "y" * 500})
    assert len(message) < 200
    assert message.endswith("...")


def test_keys_are_told_from_values():
    found = misfits({"nmae": 1, "with": "y"})
    assert {misfit.path: misfit.is_key for misfit in found} == {"name": True, "nmae": True, "with": False}


def test_every_misfit_is_reported():
    found = misfits({"name": 1, "inner": {"kind": 2, "x": 3}, "listed": [{"kind": 4}, 5], "q": 6})
    assert {misfit.path for misfit in found} == {"name", "inner.kind", "inner.x", "listed[0].kind", "listed[1]", "q"}
