"""`llm_service`: ask a language model behind any OpenAI-compatible endpoint, or the built-in demo (CONTRACT.md section 7)."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import Field, model_validator

from workflows_app.actions import chat_completions, llm_demo
from workflows_app.actions.base import Action, Config, Context, Fail, Json
from workflows_app.actions.chat_completions import Endpoint
from workflows_app.actions.http_exchange import HttpUrl
from workflows_app.actions.wording import Text


class Message(Config):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"] = Field(description="who says it")
    content: Text = Field(description="what is said")


class LlmServiceConfig(Config):
    """What to ask: exactly one of `prompt` and `messages`. Whom: the settings, unless `base_url` says otherwise."""

    prompt: Text = Field("", min_length=1, description="the question, as one user message")
    messages: list[Message] = Field([], min_length=1, description="a whole conversation: `{role, content}` each")
    system: Text = Field("", description="a system message before it")
    model: str = Field("", description="the model; else `LLM_MODEL`")
    temperature: float | None = Field(None, ge=0, le=2, description="from 0 to 2; else the provider's own")
    max_tokens: int | None = Field(None, ge=1, description="the longest answer; else the provider's own")
    response_format: dict[str, Json] | None = Field(
        None, description="passed on as it is, such as `{type: json_object}`; the output has then also the parsed `data`"
    )
    base_url: HttpUrl | None = Field(None, description="the endpoint, up to before `/chat/completions`; else `LLM_BASE_URL`")
    api_key: str = Field("", description="its key, best from a stored secret; `LLM_API_KEY` goes to `LLM_BASE_URL` only")

    @model_validator(mode="before")
    @classmethod
    def _one_question(cls, data: Any) -> Any:
        if isinstance(data, dict) and ("prompt" in data) == ("messages" in data):
            raise ValueError("give either 'prompt' or 'messages'" + (", not both" if "prompt" in data else ""))
        return data

    @property
    def conversation(self) -> list[dict[str, str]]:
        asked = [message.model_dump() for message in self.messages] or [{"role": "user", "content": self.prompt}]
        return [{"role": "system", "content": self.system}, *asked] if self.system else asked

    @property
    def request(self) -> dict[str, Json]:
        """What is asked for, without the model."""
        wished = {name: getattr(self, name) for name in ("temperature", "max_tokens", "response_format")}
        return {"messages": self.conversation, **{name: value for name, value in wished.items() if value is not None}}


class LlmService(Action):
    """Output: `{"response", "model", "usage", "provider"}`. Without an endpoint the demo provider answers, and says so."""

    name = "llm_service"
    config = LlmServiceConfig
    takes_secrets = True
    timeout_setting = "step_timeout_llm_service"

    async def run(self, config: LlmServiceConfig, context: Context) -> Json:
        base_url = config.base_url or settings.ENV.llm_base_url
        if not base_url:
            context.log("LLM_BASE_URL is not set: the demo provider answers", level="WARNING")
            output = llm_demo.answer(config.request)
        else:
            endpoint = Endpoint(base_url, config.api_key or ("" if config.base_url else settings.ENV.llm_api_key))
            output = await chat_completions.ask(endpoint, {"model": _model(config), **config.request}, context)
            output["provider"] = urlsplit(base_url).hostname
        if config.response_format and config.response_format.get("type") != "text":
            output["data"] = chat_completions.parsed(output["response"])
        context.log(f"{output['provider']} {output['model']} answered with {len(output['response']):,} characters")
        return output


def _model(config: LlmServiceConfig) -> str:
    model: str = config.model or settings.ENV.llm_model
    if not model:
        raise Fail("No model is named: give 'model', or set LLM_MODEL")
    return model
