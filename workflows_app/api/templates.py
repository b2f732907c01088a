"""Templates: list, look at, create, publish versions, check drafts, delete."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api.answers import answer, nothing
from workflows_app.api.auth import caller
from workflows_app.api.bodies import body_of, takes
from workflows_app.api.errors import definition_at, problem_json
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.bodies import DraftIn, NewVersionIn, TemplateIn, source_text
from workflows_app.api.schemas.templates import TemplateDetailOut, TemplateOut, ValidationOut, VersionOut
from workflows_app.api.slugs import slug_of
from workflows_app.api.template_shapes import template_detail_json, template_json, version_json
from workflows_app.catalog.publish import create, publish
from workflows_app.catalog.templates import find
from workflows_app.catalog.validate import validate
from workflows_app.catalog.withdraw import withdraw
from workflows_app.engine.clock import database_now
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import Template

router = Router(tags=["templates"], by_alias=True)
REFUSALS = {(400, 401, 404, 409, 413, 422): Refusal}


@router.get("", response={200: list[TemplateOut], 401: Refusal}, summary="All templates")
def list_templates(request: HttpRequest) -> HttpResponse:
    templates = Template.objects.published().select_related("current").defer("current__source")
    return answer([template_json(template) for template in templates])


@router.post(
    "", response={201: TemplateDetailOut, **REFUSALS}, summary="Publish a new template", openapi_extra=takes(TemplateIn, required=True)
)
def create_template(request: HttpRequest) -> HttpResponse:
    body = body_of(request, TemplateIn)
    with definition_at("body", "source"):
        version = create(
            slug=body.slug, source=source_text(body.source), dialect=body.dialect, note=body.note, by=caller(request), now=database_now()
        )
    return answer(template_detail_json(version.template), status=201)


@router.get("/{slug}", response={200: TemplateDetailOut, (401, 404): Refusal}, summary="One template with its source")
def get_template(request: HttpRequest, slug: str) -> HttpResponse:
    return answer(template_detail_json(find(slug_of(slug))))


@router.put(
    "/{slug}",
    response={200: TemplateDetailOut, **REFUSALS},
    summary="Publish a new version",
    openapi_extra=takes(NewVersionIn, required=True),
)
def publish_version(request: HttpRequest, slug: str) -> HttpResponse:
    """Workflows that run stay on the version they were started with."""
    body, template = body_of(request, NewVersionIn), find(slug_of(slug))
    with definition_at("body", "source"):
        version = publish(
            slug=template.slug,
            source=source_text(body.source),
            dialect=body.dialect,
            note=body.note,
            by=caller(request),
            now=database_now(),
            expect_version=body.expect_version,
        )
    return answer(template_detail_json(version.template))


@router.delete("/{slug}", response={204: None, (401, 404): Refusal}, summary="Delete a template")
def delete_template(request: HttpRequest, slug: str) -> HttpResponse:
    """Its workflows stay."""
    withdraw(slug=slug_of(slug), now=database_now())
    return nothing()


@router.get("/{slug}/versions", response={200: list[VersionOut], (401, 404): Refusal}, summary="All versions, newest first")
def list_versions(request: HttpRequest, slug: str) -> HttpResponse:
    versions = find(slug_of(slug)).versions.select_related("created_by").order_by("-number")
    return answer([version_json(version) for version in versions])


@router.post(
    "/{slug}/validate",
    response={200: ValidationOut, **REFUSALS},
    summary="Check a draft without publishing it",
    openapi_extra=takes(DraftIn, required=True),
)
def validate_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """The template need not exist yet."""
    body = body_of(request, DraftIn)
    try:
        validate(source_text(body.source), body.dialect)
    except DefinitionError as error:
        return answer({"valid": False, "problems": [problem_json(problem, under=["body", "source"]) for problem in error.problems]})
    return answer({"valid": True, "problems": []})
