"""Tests of the demo provider of `llm_service`."""

from __future__ import annotations

import json

import pytest

from workflows_app.actions.llm_demo import answer


def asked(prompt: str, **request):
    return answer({"messages": [{"role": "user", "content": prompt}], **request})


@pytest.mark.parametrize(
    ("prompt", "opening"),
    [
        ("Summarize: sales rose", "In short"),
        ("Classify this mail", "I would file this"),
        ("Analyze this data", "Looking at it closely"),
        ("Extract the names", "What stands out"),
        ("Write a reply", "Here is a first draft"),
        ("Translate to Dutch", "As a demo I cannot translate"),
        ("Why?", "You asked"),
        ("", "You asked"),
    ],
)
def test_the_answer_is_about_the_prompt_and_the_same_every_time(prompt, opening):
    found = asked(prompt)
    assert found == asked(prompt)
    assert found["response"].startswith(opening) and "demo provider" in found["response"]


def test_the_words_of_the_prompt_come_back():
    response = asked("Summarize: Invoices rose, invoices fell, customers paid.")["response"]
    assert "mostly about invoices, " in response
    assert asked("What is 2 + 2?")["response"] != asked("What is 3 + 3?")["response"]


def test_a_long_prompt_is_quoted_in_part():
    assert len(asked("word " * 10_000)["response"]) < 400


def test_the_usage_counts_words():
    found = answer({"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "one two three"}]})
    usage = found["usage"]
    assert usage["prompt_tokens"] == 5
    assert usage["total_tokens"] == 5 + usage["completion_tokens"] == 5 + len(found["response"].split())


def test_it_answers_the_last_question():
    messages = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "second"}]
    assert "second" in answer({"messages": messages})["response"]


def test_it_keeps_to_a_limit_and_to_json():
    assert len(asked("Say a lot", max_tokens=3)["response"].split()) == 3
    assert json.loads(asked("List cities", response_format={"type": "json_object"}, max_tokens=3)["response"])["topics"] == [
        "list",
        "cities",
    ]
