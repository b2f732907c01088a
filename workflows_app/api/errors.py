"""What the verbs raise, as answers: always JSON with a `detail` that names what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from hybrid_site.failures import away_words, may_be_repeated
from workflows_app.access.notifications import NotificationNotFound
from workflows_app.api.answers import answer
from workflows_app.api.strict_json import Malformed, Refused
from workflows_app.catalog.approvals import NotAnApprover
from workflows_app.catalog.publish import InvalidSlug, SlugTaken, VersionConflict
from workflows_app.catalog.schedules import InvalidSchedule, ScheduleNameTaken, ScheduleNotFound
from workflows_app.catalog.templates import UnknownTemplate
from workflows_app.catalog.validate import UnknownDialect
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.errors import IdempotencyConflict, NotAllowed, StepNotFound, WorkflowNotFound
from workflows_app.engine.report import BadCursor
from workflows_app.engine.report.events import EventNotFound
from workflows_app.graph.problems import DefinitionError, Problem

Handler = Callable[[HttpRequest, Any], HttpResponse]
IN_DEFINITION = ("body", "definition")
SAID_AS_IT_IS: Mapping[type[Exception], int] = {
    WorkflowNotFound: 404,
    StepNotFound: 404,
    EventNotFound: 404,
    UnknownTemplate: 404,
    NotificationNotFound: 404,
    ScheduleNotFound: 404,
    NotAnApprover: 403,
    NotAllowed: 409,
    IdempotencyConflict: 409,
    SlugTaken: 409,
    ScheduleNameTaken: 409,
    VersionConflict: 409,
    Malformed: 400,
    SuspiciousOperation: 400,
}


class MisplacedParams(InvalidParams):
    """Parameters that stand elsewhere in the request do not fit."""

    def __init__(self, errors: Mapping[str, str], under: Sequence[str]) -> None:
        super().__init__(errors)
        self.under = under


@contextmanager
def params_at(*under: str) -> Iterator[None]:
    """Inside, fields that do not fit a schema are reported under this place of the request."""
    try:
        yield
    except InvalidParams as error:
        raise MisplacedParams(error.errors, under) from None


class MisplacedDefinition(DefinitionError):
    """A definition that stands elsewhere in the request than under `definition` is refused."""

    def __init__(self, problems: Sequence[Problem], under: Sequence[str]) -> None:
        super().__init__(problems)
        self.under = under


@contextmanager
def definition_at(*under: str) -> Iterator[None]:
    """Inside, problems of a definition are reported under this place of the request."""
    try:
        yield
    except DefinitionError as error:
        raise MisplacedDefinition(error.problems, under) from None


def install(api: NinjaAPI) -> None:
    """Unexpected exceptions are left to Django, which logs them and asks `hybrid_site.failures`."""
    for kind, status in SAID_AS_IT_IS.items():
        api.add_exception_handler(kind, _saying(status))
    for other, handler in HANDLERS.items():
        api.add_exception_handler(other, handler)


def field_error(loc: Sequence[str | int], msg: str, kind: str, **more: Any) -> dict[str, Any]:
    """One entry of a 422's `detail`: where, what, and a word for programs."""
    return {"loc": list(loc), "msg": msg, "type": kind, **more}


def refusal(loc: Sequence[str | int], msg: str, kind: str) -> ValidationError:
    return ValidationError([field_error(loc, msg, kind)])


def problem_json(problem: Problem, *, under: Sequence[str] = IN_DEFINITION) -> dict[str, Any]:
    """A problem of a definition, with its node, and its line and column where the source has them."""
    loc, place = [*under, *_steps_of(problem.path)], {"line": problem.line, "column": problem.column}
    return field_error(loc, problem.message, "definition", node=problem.node or None, **place)


def _steps_of(path: str) -> Iterator[str | int]:
    """`steps[3].with.url` as `steps, 3, with, url`."""
    for index, name in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path):
        yield int(index) if index else name


def _saying(status: int) -> Handler:
    return lambda request, error: answer({"detail": str(error)}, status=status)


def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    message = str(error) if str(error) != "Unauthorized" else "Log in, or send `Authorization: Bearer` with an API token."
    response = answer({"detail": message}, status=401)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer({"detail": [_field_error_of(found) for found in error.errors]}, status=422)


def _field_error_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Without the value, which may be long or secret, and without the name that our function gives to the whole query."""
    loc = [part for at, part in enumerate(found["loc"]) if (at, part) != (1, "query")]
    return field_error(loc, found["msg"], found["type"])


def _bad_definition(request: HttpRequest, error: DefinitionError) -> HttpResponse:
    under = error.under if isinstance(error, MisplacedDefinition) else IN_DEFINITION
    return answer({"detail": [problem_json(problem, under=under) for problem in error.problems]}, status=422)


def _bad_params(request: HttpRequest, error: InvalidParams) -> HttpResponse:
    under = error.under if isinstance(error, MisplacedParams) else ["params"]
    found = [field_error([*under, *name.split(".")], message, "params") for name, message in error.errors.items()]
    return answer({"detail": found}, status=422)


def _bad_schedule(request: HttpRequest, error: InvalidSchedule) -> HttpResponse:
    place = "query" if request.method == "GET" else "body"
    return answer({"detail": [field_error([place, name], message, "schedule") for name, message in error.errors.items()]}, status=422)


def _at(loc: Sequence[str], kind: str) -> Handler:
    """What is wrong is one field, always the same."""
    return lambda request, error: answer({"detail": [field_error(loc, str(error), kind)]}, status=422)


def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return answer({"detail": "The body is larger than MAX_BODY_BYTES allows."}, status=413)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    response = answer({"detail": away_words(request.method)}, status=503)
    if may_be_repeated(request):
        response["Retry-After"] = "1"
    return response


HANDLERS: Mapping[type[Exception], Handler] = {
    AuthenticationError: _unauthenticated,
    ValidationError: _invalid,
    DefinitionError: _bad_definition,
    InvalidParams: _bad_params,
    InvalidSchedule: _bad_schedule,
    Refused: _at(["body"], "json"),
    BadCursor: _at(["query", "cursor"], "cursor"),
    InvalidSlug: _at(["body", "slug"], "slug"),
    UnknownDialect: _at(["body", "dialect"], "unknown_dialect"),
    RequestDataTooBig: _too_large,
    OperationalError: _database_away,
    InterfaceError: _database_away,
}
