"""Schedules coming in and going out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from workflows_app.api.schemas.base import Json, Moment, Shape, StatusName
from workflows_app.api.schemas.bodies import Params, Slug
from workflows_app.api.schemas.queries import Text

Overlap = Literal["allow", "skip"]
CatchUp = Literal["latest", "none"]
CRON = "minute hour day-of-month month day-of-week, such as `0 9 * * MON-FRI`"
TIMEZONE = "an IANA name, such as Europe/Berlin"


class ScheduleIn(Shape):
    name: str = Field(max_length=100)
    template: Slug
    cron: str = Field(max_length=100, description=CRON)
    timezone: str = Field("UTC", max_length=60, description=TIMEZONE)
    params: Params = {}
    overlap: Overlap = Field("allow", description="`skip`: nothing starts while a workflow of an earlier time still runs")
    catch_up: CatchUp = Field("latest", description="of times that nobody was there for, the latest is started, or `none`")
    is_paused: bool = False


class ScheduleChangeIn(Shape):
    """What is left out stays as it is."""

    name: str | None = Field(None, max_length=100)
    cron: str | None = Field(None, max_length=100, description=CRON)
    timezone: str | None = Field(None, max_length=60, description=TIMEZONE)
    params: Params | None = None
    overlap: Overlap | None = None
    catch_up: CatchUp | None = None


class LastOut(Shape):
    id: str
    status: StatusName


class ScheduleOut(Shape):
    """`lastError` tells why the last time started nothing; `nextAt` is null while it is paused."""

    id: str
    name: str
    template: str
    cron: str
    words: str
    timezone: str
    params: dict[str, Json]
    overlap: Overlap
    catch_up: CatchUp
    is_paused: bool
    next_at: Moment | None
    last_at: Moment | None
    last_error: str | None
    last_workflow: LastOut | None
    created_by: str | None
    created_at: Moment
    updated_at: Moment


class ScheduleDetailOut(ScheduleOut):
    """With the next five times; of a paused one, what they would be."""

    upcoming: list[Moment]


class PreviewOut(Shape):
    words: str
    upcoming: list[Moment]


class ScheduleQuery(BaseModel):
    template: Text = Field("", description="slug of the template")


class PreviewQuery(BaseModel):
    cron: str = Field(max_length=200, description=CRON)
    timezone: str = Field("UTC", max_length=100, description=TIMEZONE)
