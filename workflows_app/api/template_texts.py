"""Templates as text: export one, import one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api import strict_json
from workflows_app.api.answers import answer
from workflows_app.api.auth import caller
from workflows_app.api.bodies import body_of, takes
from workflows_app.api.errors import definition_at
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.bodies import ImportIn, source_text
from workflows_app.api.schemas.templates import TemplateDetailOut
from workflows_app.api.slugs import slug_of
from workflows_app.api.template_shapes import template_detail_json
from workflows_app.catalog.exchange import export, import_template
from workflows_app.engine.clock import database_now

router = Router(tags=["templates"], by_alias=True)
YAML = "application/yaml"
TEXT = {YAML: {"schema": {"type": "string"}}}
TAKES = takes(ImportIn, required=True)
TAKES["requestBody"]["content"].update(TEXT)


@router.post(
    "/import",
    response={(200, 201): TemplateDetailOut, (400, 401, 413, 422): Refusal},
    summary="Publish an exported template",
    openapi_extra=TAKES,
)
def import_text(request: HttpRequest) -> HttpResponse:
    """The text itself, or JSON with `source` and, if wanted, `slug` and `dialect`. 201 for a new template, 200 for a new version."""
    body = _asked(request)
    with definition_at("body", "source"):
        version = import_template(
            source=source_text(body.source), slug=body.slug, dialect=body.dialect, by=caller(request), now=database_now()
        )
    return answer(template_detail_json(version.template), status=201 if version.number == 1 else 200)


@router.get(
    "/{slug}/export",
    response={200: None, (401, 404): Refusal},
    summary="The current version as YAML",
    openapi_extra={"responses": {200: {"content": TEXT}}},
)
def export_template(request: HttpRequest, slug: str) -> HttpResponse:
    """Comment lines at the top say dialect, slug and version; an import reads them."""
    name = slug_of(slug)
    response = HttpResponse(export(slug=name), content_type=f"{YAML}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def _asked(request: HttpRequest) -> ImportIn:
    """As JSON when it is called so, or when it is called nothing in particular (curl -d) and begins with a brace."""
    kind = request.content_type or ""
    is_text = kind.endswith("yaml") or kind == "text/plain"
    if "json" in kind or (not is_text and strict_json.whole(request).lstrip().startswith(b"{")):
        return body_of(request, ImportIn)
    return ImportIn(source=strict_json.text(request))
