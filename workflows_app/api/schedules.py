"""Schedules: templates started by the clock."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from workflows_app.api.answers import answer, nothing
from workflows_app.api.auth import caller
from workflows_app.api.bodies import body_of, takes
from workflows_app.api.errors import params_at
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.schedules import (
    PreviewOut,
    PreviewQuery,
    ScheduleChangeIn,
    ScheduleDetailOut,
    ScheduleIn,
    ScheduleOut,
    ScheduleQuery,
)
from workflows_app.api.schemas.workflows import WorkflowOut
from workflows_app.api.slugs import slug_of
from workflows_app.catalog import schedules
from workflows_app.engine import report
from workflows_app.engine.clock import database_now
from workflows_app.engine.report.schedules import all_schedules, schedule_detail, schedule_json
from workflows_app.engine.report.times import iso
from workflows_app.models import Schedule

router = Router(tags=["schedules"], by_alias=True)
REFUSALS = {(400, 401, 404, 409, 413, 422): Refusal}
CHANGED = {200: ScheduleDetailOut, (401, 404, 409, 422): Refusal}


@router.get("", response={200: list[ScheduleOut], (401, 422): Refusal}, summary="All schedules")
def list_schedules(request: HttpRequest, query: Query[ScheduleQuery]) -> HttpResponse:
    return answer([schedule_json(row) for row in all_schedules(query.template)])


@router.post("", response={201: ScheduleDetailOut, **REFUSALS}, summary="Make a schedule", openapi_extra=takes(ScheduleIn, required=True))
def create_schedule(request: HttpRequest) -> HttpResponse:
    """The parameters are checked now and at each time, with the template's version of then."""
    values = body_of(request, ScheduleIn).model_dump()
    with params_at("body", "params"):
        row = schedules.create(**{**values, "template": slug_of(values["template"])}, by=caller(request), now=database_now())
    return _shown(row, status=201)


@router.get("/preview", response={200: PreviewOut, (401, 422): Refusal}, summary="A cron expression in words, and when it comes next")
def preview_schedule(request: HttpRequest, query: Query[PreviewQuery]) -> HttpResponse:
    found = schedules.preview(cron=query.cron, timezone=query.timezone, now=database_now())
    return answer({"words": found.words, "upcoming": [iso(at) for at in found.upcoming]})


@router.get("/{schedule_id}", response={200: ScheduleDetailOut, (401, 404): Refusal}, summary="One schedule and its next times")
def get_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    return _shown(schedules.find(schedule_id))


@router.put("/{schedule_id}", response={200: ScheduleDetailOut, **REFUSALS}, summary="Change it", openapi_extra=takes(ScheduleChangeIn))
def change_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """What is left out stays as it is. A paused one stays paused."""
    values = body_of(request, ScheduleChangeIn).model_dump(exclude_none=True)
    with params_at("body", "params"):
        return _shown(schedules.update(uid=schedule_id, now=database_now(), **values))


@router.delete("/{schedule_id}", response={204: None, (401, 404): Refusal}, summary="Delete it")
def delete_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """The workflows that it started stay."""
    schedules.delete(uid=schedule_id)
    return nothing()


@router.post("/{schedule_id}/pause", response=CHANGED, summary="Pause it")
def pause_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    return _shown(schedules.pause(uid=schedule_id, now=database_now()))


@router.post("/{schedule_id}/resume", response=CHANGED, summary="Resume it, from now on")
def resume_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    return _shown(schedules.resume(uid=schedule_id, now=database_now()))


@router.post("/{schedule_id}/run", response={200: WorkflowOut, (401, 404, 409, 422): Refusal}, summary="Start one workflow of it now")
def run_schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Beside its times, and whatever runs already."""
    workflow = schedules.run_now(uid=schedule_id, by=caller(request), now=database_now())
    return answer(report.workflow(workflow.uid))


def _shown(row: Schedule, *, status: int = 200) -> HttpResponse:
    return answer(schedule_detail(row, now=database_now()), status=status)
