"""The demo provider: answers without a model, the same to the same question, and visibly about it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

from workflows_app.actions.base import Json

MODEL = "demo"
QUOTED_CHARACTERS = 200
_WORD = re.compile(r"[^\W\d_]{4,}")
OPENINGS = (
    (r"summar|shorten|tl;?dr", "In short"),
    (r"classif|categor|label|sentiment", "I would file this as neutral"),
    (r"translat", "As a demo I cannot translate, but this is what I was given"),
    (r"extract|list|find", "What stands out"),
    (r"analy|review|assess|evaluat", "Looking at it closely"),
    (r"write|draft|compose|reply", "Here is a first draft"),
)


def answer(request: Mapping[str, Json]) -> dict[str, Json]:
    """`{"response", "model", "usage", "provider"}` for a chat-completions request."""
    messages = request["messages"]
    prompt = next((message["content"] for message in reversed(messages) if message["role"] == "user"), messages[-1]["content"])
    text = _reply(prompt)
    if (request.get("response_format") or {}).get("type", "text") != "text":
        text = json.dumps({"answer": text, "topics": _topics(prompt)}, ensure_ascii=False)
    limit = request.get("max_tokens")
    if limit is not None and "response_format" not in request:
        text = " ".join(text.split(" ")[:limit])
    asked, said = sum(_tokens(message["content"]) for message in messages), _tokens(text)
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    return {"response": text, "model": MODEL, "usage": usage, "provider": "demo"}


def _reply(prompt: str) -> str:
    instruction = prompt[:QUOTED_CHARACTERS].lower()
    opening = next((words for pattern, words in OPENINGS if re.search(pattern, instruction)), "You asked")
    topics = ", ".join(_topics(prompt)) or "nothing in particular"
    quoted = " ".join(prompt.split())
    quoted = quoted if len(quoted) <= QUOTED_CHARACTERS else f"{quoted[:QUOTED_CHARACTERS]}…"
    return (
        f"{opening}: \u201c{quoted}\u201d ({_tokens(prompt)} words, mostly about {topics}). This is the demo provider: no model was asked."
    )


def _topics(prompt: str) -> list[str]:
    """The most frequent longer words, ties in the order of the text."""
    return [word for word, _ in Counter(_WORD.findall(prompt.lower())).most_common(3)]


def _tokens(text: str) -> int:
    return len(text.split())
