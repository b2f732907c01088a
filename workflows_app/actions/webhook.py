"""A notification as a POST to somebody's address. That address is a secret as a whole: messages name its host only."""

from __future__ import annotations

import json
from collections.abc import Mapping

from workflows_app.actions.base import Context, Json
from workflows_app.actions.http_exchange import Call, ask, origin, refuse, shortest

DEADLINE_SECONDS = 30.0


async def post(url: str, body: Mapping[str, Json], context: Context) -> None:
    """Send JSON and see it accepted. Raises Retry or Fail; a redirect counts as a refusal."""
    call = Call(
        method="POST", url=url, sent={"content": json.dumps(body, separators=(",", ":")).encode()}, content_type="application/json",
        deadline_seconds=shortest(DEADLINE_SECONDS, context.timeout_seconds), target=origin(url),
    )  # fmt: skip
    answer = await ask(call, context)
    if not 200 <= answer.status < 300:
        refuse(call, answer, answer.excerpt)
    context.log(f"{call.title} → {answer.status}")


def slack_text(title: str, message: str) -> dict[str, str]:
    """Slack's incoming webhooks, and what speaks like them: `&`, `<` and `>` escaped, the title in bold."""
    return {"text": f"*{_escaped(title)}*\n{_escaped(message)}" if title else _escaped(message)}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
