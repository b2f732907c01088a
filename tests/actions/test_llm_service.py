"""Tests of `llm_service` against a real server on loopback that speaks the chat-completions protocol."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from tests.actions.web_server import Asked, plain, web_server
from workflows_app import actions
from workflows_app.actions import outbound
from workflows_app.actions.base import Fail, Retry
from workflows_app.actions.http_answer import MAX_BYTES
from workflows_app.actions.llm_service import LlmService, LlmServiceConfig

KEY = "sk-canary-5up3r"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(content: Any = "Hello there", **changes: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "model": "m-2026", "choices": [choice], "usage": USAGE, **changes}


def says(body: Any, status: int = 200, **headers: str):
    return plain(status, json.dumps(body).encode(), content_type="application/json", **headers)


async def silence(request: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def ask(log: Log | None = None, timeout_seconds: float = 5.0, chain_depth: int = 0, **config: Any) -> Any:
    context = a_context(sink=Log() if log is None else log, timeout_seconds=timeout_seconds, chain_depth=chain_depth)
    try:
        return await LlmService().run(LlmServiceConfig.model_validate({"prompt": "Say hello", **config}), context)
    finally:
        await outbound.close()


def exchange(answer: Any = None, log: Log | None = None, timeout_seconds: float = 5.0, **config: Any) -> tuple[Any, list[Asked]]:
    async def run() -> tuple[Any, list[Asked]]:
        async with web_server(answer or says(completion())) as server:
            given = {"model": "m", "api_key": KEY, "base_url": f"{server.url}/v1", **config}
            return await ask(log, timeout_seconds, chain_depth=2, **given), server.asked

    return asyncio.run(run())


def failure(kind: type[Exception], answer: Any, **config: Any) -> Any:
    with pytest.raises(kind) as caught:
        exchange(answer, **config)
    return caught.value


def with_settings(settings: Any, **values: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update=values)


def test_the_output_is_response_model_usage_and_provider():
    """CONTRACT.md section 7: output {response, model, usage, provider}."""
    output, _ = exchange()
    assert output == {"response": "Hello there", "model": "m-2026", "usage": USAGE, "provider": "127.0.0.1"}


def test_the_request_is_a_chat_completion_with_what_the_author_says():
    _, (asked,) = exchange(system="Be brief", temperature=0.2, max_tokens=50)
    assert (asked.method, asked.target) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert (asked.headers["idempotency-key"], asked.headers["hybrid-chain-depth"]) == ("w:s", "3")
    assert json.loads(asked.body) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Say hello"}],
        "temperature": 0.2,
        "max_tokens": 50,
    }


def test_what_the_author_does_not_say_is_left_to_the_provider():
    _, (asked,) = exchange()
    assert set(json.loads(asked.body)) == {"model", "messages"}


def test_a_whole_conversation_can_be_given():
    conversation = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": {"n": 1}}]
    config = LlmServiceConfig.model_validate({"messages": conversation})
    assert config.conversation == [*conversation[:2], {"role": "user", "content": '{"n": 1}'}]


def test_a_prompt_that_is_data_is_asked_as_json():
    _, (asked,) = exchange(prompt={"rows": [1, 2]})
    assert json.loads(asked.body)["messages"][0]["content"] == '{"rows": [1, 2]}'


def test_a_slash_at_the_end_of_the_address_does_no_harm():
    async def run():
        async with web_server(says(completion())) as server:
            await ask(model="m", base_url=f"{server.url}/v1/")
            return server.asked[0].target

    assert asyncio.run(run()) == "/v1/chat/completions"


def test_429_is_tried_again_when_the_server_says():
    error = failure(Retry, says({"error": {"message": "slow down"}}, 429, retry_after="7"))
    assert (error.kind, error.after_seconds) == ("429", 7.0)
    assert "answered 429 Too Many Requests: slow down" in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_server_errors_are_tried_again(status):
    error = failure(Retry, plain(status, b"oops"))
    assert (error.kind, error.after_seconds) == (str(status), None)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"error": {"message": "max_tokens is too large"}}, "answered 400 Bad Request: max_tokens is too large"),
        (404, {"error": "model 'm' not found"}, "answered 404 Not Found: model 'm' not found"),
        (401, {"detail": "who are you"}, 'answered 401 Unauthorized: {"detail": "who are you"}'),
    ],
)
def test_a_refusal_fails_with_the_providers_words(status, body, said):
    assert said in str(failure(Fail, says(body, status)))


def test_a_redirect_is_a_refusal():
    assert "answered 302" in str(failure(Fail, plain(302, location="/elsewhere")))


def test_silence_is_a_timeout():
    error = failure(Retry, silence, timeout_seconds=0.2)
    assert error.kind == "timeout" and "no complete answer within 0.2 s" in str(error)


def test_nobody_there_is_a_connection_error():
    with pytest.raises(Retry) as caught:
        asyncio.run(ask(model="m", base_url="http://127.0.0.1:9/v1"))
    assert caught.value.kind == "connection"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (plain(200, b'{"choices": [', content_type="application/json"), "no chat completion"),
        (plain(200, b"<html>hello</html>", content_type="text/html"), "no choices"),
        (plain(200, b""), "no choices"),
        (says([1]), "no choices"),
        (says({"object": "chat.completion"}), "no choices"),
        (says(completion(choices=[])), "no choices"),
        (says(completion(choices=["x"])), "no choices"),
        (says(completion(choices={"message": {}})), "no choices"),
        (says(completion(choices=[{"message": None}])), "no choices"),
        (says(completion("")), "an empty answer"),
        (says(completion(" \n")), "an empty answer"),
        (says(completion(None)), "an empty answer"),
        (says(completion([{"type": "text"}])), "an empty answer"),
    ],
    ids=["half", "html", "nothing", "list", "missing", "none", "text", "object", "null message", "empty", "blank", "null", "parts"],
)
def test_a_malformed_answer_is_worth_another_try(answer, why):
    error = failure(Retry, answer)
    assert error.kind == "malformed" and why in str(error)


def test_a_huge_answer_fails_before_it_fills_the_memory():
    assert "larger than 5 MB" in str(failure(Fail, says(completion("x" * MAX_BYTES))))


def test_a_model_that_refuses_fails_the_step():
    choices = [{"message": {"content": None, "refusal": "I will not"}}]
    assert str(failure(Fail, says(completion(choices=choices)))) == "The model refused: I will not"


def test_an_answer_cut_off_before_its_first_word_says_what_to_do():
    choices = [{"message": {"content": ""}, "finish_reason": "length"}]
    assert "'max_tokens'" in str(failure(Fail, says(completion(choices=choices))))


def test_an_answer_without_model_or_usage_is_still_one():
    output, _ = exchange(says({"choices": [{"message": {"content": "hi"}}], "usage": "a lot"}))
    assert (output["response"], output["model"], output["usage"]) == ("hi", "m", {})


def test_a_wished_format_is_passed_on_and_its_data_parsed():
    output, (asked,) = exchange(says(completion('{"city": "Ghent"}')), response_format={"type": "json_object"})
    assert json.loads(asked.body)["response_format"] == {"type": "json_object"}
    assert (output["data"], output["response"]) == ({"city": "Ghent"}, '{"city": "Ghent"}')
    assert failure(Retry, says(completion("Ghent, I think")), response_format={"type": "json_object"}).kind == "malformed"
    assert "data" not in exchange(response_format={"type": "text"})[0]


@pytest.mark.parametrize("status", [200, 401, 429, 500])
def test_the_key_is_in_no_log_and_no_error_even_when_the_server_repeats_it(status):
    log = Log()
    try:
        exchange(says({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status), log)
    except (Fail, Retry) as error:
        log.append(("ERROR", str(error)))
    assert "[the API key]" in log.text and KEY not in log.text


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-ä", "sk-\x00"], ids=["line break", "not ASCII", "NUL"])
def test_a_key_that_cannot_be_one_fails_without_being_shown(key):
    error = failure(Fail, says(completion()), api_key=key)
    assert "API key holds a character" in str(error) and "sk-" not in str(error)


def test_the_settings_say_whom_to_ask(settings):
    async def run():
        async with web_server(says(completion())) as server:
            with_settings(settings, llm_base_url=server.url, llm_api_key="sk-house", llm_model="house-model")
            return await ask(), server.asked[0]

    output, asked = asyncio.run(run())
    assert output["response"] == "Hello there"
    assert asked.headers["authorization"] == "Bearer sk-house"
    assert json.loads(asked.body)["model"] == "house-model"


def test_the_key_of_the_settings_goes_to_no_other_address(settings):
    with_settings(settings, llm_api_key="sk-house", llm_base_url="http://127.0.0.1:9")
    _, (asked,) = exchange(api_key="")
    assert "authorization" not in asked.headers


def test_without_a_model_the_step_says_where_to_name_one():
    with pytest.raises(Fail, match="LLM_MODEL"):
        asyncio.run(ask(base_url="http://127.0.0.1:9"))


def test_an_address_that_calls_may_not_reach_is_refused(server_mode):
    with pytest.raises(Fail, match="not a public address"):
        asyncio.run(ask(model="m", base_url="http://127.0.0.1:9"))


def test_without_an_endpoint_the_demo_provider_answers_and_says_so():
    """CONTRACT.md section 7: a built-in `demo` provider answers deterministically from the prompt."""
    log = Log()
    first, again = asyncio.run(ask(log)), asyncio.run(ask())
    assert first == again
    assert (first["provider"], set(first)) == ("demo", {"response", "model", "usage", "provider"})
    assert "LLM_BASE_URL is not set" in log.text


@pytest.mark.parametrize(
    ("config", "path"),
    [({}, ""), ({"prompt": "a", "messages": []}, ""),
     ({"messages": []}, "messages"), ({"prompt": ""}, "prompt"), ({"prompt": None}, "prompt"),
     ({"prompt": "a", "temperature": 3}, "temperature"), ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
     ({"prompt": "a", "base_url": "ftp://x"}, "base_url"), ({"messages": [{"role": "wizard", "content": "a"}]}, "messages[0].role")],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_beforehand(config, path):
    assert [found for found, _ in actions.find("llm_service").check(config)] == [path]


def test_templated_values_are_taken_on_trust_and_secrets_may_be_read():
    action = actions.find("llm_service")
    assert action.check({"prompt": "{{ params.p }}", "temperature": "{{ params.t }}", "base_url": "{{ params.u }}"}) == []
    assert action.takes_secrets and action.timeout_setting == "step_timeout_llm_service"
