"""The chat-completions protocol: one question to an OpenAI-compatible endpoint, its answer judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows_app.actions.base import Context, Fail, Json, Retry
from workflows_app.actions.http_answer import Answer
from workflows_app.actions.http_exchange import Call, refuse
from workflows_app.actions.http_exchange import ask as exchange

HIDDEN = "[the API key]"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask. The key is in no message, log or error."""

    base_url: str
    api_key: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        if not self.api_key:
            return {}
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise Fail("The API key holds a character that no key has: a line break, or one that is not ASCII")
        return {"Authorization": f"Bearer {self.api_key}"}

    def hide(self, text: str) -> str:
        return text.replace(self.api_key, HIDDEN) if self.api_key else text


async def ask(endpoint: Endpoint, request: Mapping[str, Json], context: Context) -> dict[str, Json]:
    """`{"response", "model", "usage"}`. Raises Retry (`429`, `5xx`, `timeout`, `connection`, `malformed`) and Fail."""
    call = Call(
        method="POST", url=f"{endpoint.base_url.rstrip('/')}/chat/completions", headers=endpoint.headers,
        sent={"content": json.dumps(request, separators=(",", ":")).encode()}, content_type="application/json",
        deadline_seconds=context.timeout_seconds,
    )  # fmt: skip
    try:
        return _read(call, await exchange(call, context), str(request["model"]))
    except Retry as error:
        raise Retry(endpoint.hide(str(error)), kind=error.kind, after_seconds=error.after_seconds) from None
    except Fail as error:
        raise Fail(endpoint.hide(str(error))) from None


def _read(call: Call, answer: Answer, model: str) -> dict[str, Json]:
    if not 200 <= answer.status < 300:
        refuse(call, answer, _said(answer))
    body = answer.body if isinstance(answer.body, Mapping) else {}
    usage = body.get("usage")
    return {
        "response": _text(call, answer, body),
        "model": body.get("model") if isinstance(body.get("model"), str) else model,
        "usage": usage if isinstance(usage, Mapping) else {},
    }


def _said(answer: Answer) -> str:
    """The provider's own words (`{"error": {"message": ...}}`), or the beginning of what came."""
    error = answer.body.get("error") if isinstance(answer.body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else error
    return f": {message[:1000]}" if isinstance(message, str) and message else answer.excerpt


def _text(call: Call, answer: Answer, body: Mapping[str, Json]) -> str:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        why = answer.unparsed or "no choices[0].message in it"
        raise Retry(f"{call.title} gave no chat completion ({why}){answer.excerpt}", kind="malformed")
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        raise Fail(f"The model refused: {message['refusal'][:1000]}")
    content = message.get("content")
    if isinstance(content, str) and content.strip():
        return content
    if choice.get("finish_reason") == "length":
        raise Fail("The answer ended at 'max_tokens' before it had any text: allow more")
    raise Retry(f"{call.title} gave an empty answer", kind="malformed")


def parsed(response: str) -> Json:
    """The answer as the data that `response_format` asked for."""
    try:
        return json.loads(response)
    except ValueError as error:
        raise Retry(f"The answer is not the JSON that 'response_format' asks for: {error}", kind="malformed") from None
