"""`send_notification`: tell a role, a user or a channel: in the dashboard, by e-mail, by webhook or to Slack (CONTRACT.md section 7)."""

from __future__ import annotations

from typing import Annotated, Literal

from django.core.exceptions import ValidationError as NoAddress
from django.core.validators import validate_email
from pydantic import AfterValidator, AliasChoices, Field, field_validator, model_validator

from workflows_app.actions import mail, webhook
from workflows_app.actions.base import Action, Config, Context, Json, Noted, Notice
from workflows_app.actions.http_exchange import http_url
from workflows_app.actions.wording import Text

Channel = Literal["in_app", "email", "webhook", "slack"]
MAX_ADDRESSES = 50
MAX_TITLE = 200


def _post_url(url: str) -> str:
    """The address may be a secret as a whole, so the message does not show it."""
    try:
        return url and http_url(url)
    except ValueError:
        raise ValueError("the url must begin with http:// or https:// and name a host") from None


PostUrl = Annotated[str, AfterValidator(_post_url)]


def _for(name: str) -> AliasChoices:
    return AliasChoices(name, f"to{name.capitalize()}", f"to_{name}")


class SendNotificationConfig(Config):
    """What to say, to whom, and on which ways. At most one of `role`, `user` and `channel`; with none of them it is for everybody."""

    message: Text = Field(min_length=1, max_length=20_000, description="what to say")
    title: Text = Field("", max_length=MAX_TITLE, description="a heading; else the name of the workflow")
    level: Literal["info", "success", "warning", "error"] = Field("info", description="how it is shown")
    role: str = Field(
        "",
        max_length=150,
        validation_alias=_for("role"),
        description="for the users of this group; also `toRole`, `to_role`",
    )
    user: str = Field("", max_length=150, validation_alias=_for("user"), description="for this user; also `toUser`, `to_user`")
    channel: str = Field(
        "",
        max_length=100,
        validation_alias=_for("channel"),
        description="for who reads this channel; also `toChannel`, `to_channel`",
    )
    channels: list[Channel] = Field(
        ["in_app"], min_length=1, description="the ways to send it: `in_app`, `email`, and `webhook` or `slack`"
    )
    email: str | list[str] = Field([], description="address or addresses for `email`, 50 at most")
    url: PostUrl = Field("", description="address for `webhook` or `slack`")

    @field_validator("email")
    @classmethod
    def _addresses(cls, email: str | list[str]) -> str | list[str]:
        for address in [email] if isinstance(email, str) else email:
            try:
                validate_email(address)
            except NoAddress:
                raise ValueError(f"{address[:80]!r} is not an e-mail address") from None
        return email

    @model_validator(mode="after")
    def _complete(self) -> SendNotificationConfig:
        if len([name for name in (self.role, self.user, self.channel) if name]) > 1:
            raise ValueError("give one of 'role', 'user' and 'channel', not several")
        if "email" in self.channels and not self.addresses:
            raise ValueError("the channel 'email' needs addresses under 'email'")
        if len(self.addresses) > MAX_ADDRESSES:
            raise ValueError(f"'email' has {len(self.addresses)} addresses; there may be {MAX_ADDRESSES}")
        return self

    @model_validator(mode="after")
    def _one_url(self) -> SendNotificationConfig:
        posted = {"webhook", "slack"} & set(self.channels)
        if len(posted) == 2:
            raise ValueError("'webhook' and 'slack' would go to the same 'url': use two steps")
        if posted and not self.url:
            raise ValueError(f"the channel '{posted.pop()}' needs a 'url'")
        return self

    @property
    def addresses(self) -> list[str]:
        return [self.email] if isinstance(self.email, str) else self.email


class SendNotification(Action):
    """Output: `{"title", "message", "level", "to", "channels"}`. Kept for the dashboard together with the output, once; what
    leaves the house goes out again when a later way fails and the step is tried again, with the same Message-ID or Idempotency-Key."""

    name = "send_notification"
    config = SendNotificationConfig
    takes_secrets = True

    async def run(self, config: SendNotificationConfig, context: Context) -> Json | Noted:
        title = " ".join((config.title or context.workflow_name).split())[:MAX_TITLE]
        for way in dict.fromkeys(config.channels):
            await _send(way, title, config, context)
        to = {name: value for name in ("role", "user", "channel") if (value := getattr(config, name))}
        output = {"title": title, "message": config.message, "level": config.level, "to": to, "channels": config.channels}
        if "in_app" not in config.channels:
            return output
        context.log(f"Notified {' '.join(f'{kind} {name}' for kind, name in to.items()) or 'everybody'}: {title}")
        return Noted(output, [Notice(title=title, message=config.message, level=config.level, **to)])


async def _send(way: Channel, title: str, config: SendNotificationConfig, context: Context) -> None:
    if way == "email":
        await mail.send(to=config.addresses, subject=title, body=config.message, context=context)
    elif way == "slack":
        await webhook.post(config.url, webhook.slack_text(title if config.title else "", config.message), context)
    elif way == "webhook":
        body = {name: getattr(config, name) for name in ("message", "level", "role", "user", "channel")}
        workflow = {"id": context.workflow_id, "name": context.workflow_name}
        await webhook.post(config.url, {"title": title, **body, "workflow": workflow, "step": context.step_id}, context)
