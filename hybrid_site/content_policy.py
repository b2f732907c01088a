"""The Content-Security-Policy: everything from here, nothing inline, nothing evaluated; a little less for the pages that are not ours."""

from __future__ import annotations

from collections.abc import Mapping

from csp.constants import SELF, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

SWAGGER = {"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]}
RELAXED: Mapping[str, dict[str, list[str]]] = {
    "admin": {"style-src": [SELF, UNSAFE_INLINE]},
    "api:openapi-view": SWAGGER,
    "v1:openapi-view": SWAGGER,
}


class ContentPolicy(CSPMiddleware):
    """Django's admin has a style element in its lists; Swagger UI sets styles and draws from data URLs. Which page
    it is, is read from the resolved view, never from the path."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        match = request.resolver_match
        relaxed = RELAXED.get(match.app_name) or RELAXED.get(match.view_name) if match else None
        if relaxed:
            response._csp_replace = relaxed  # type: ignore[attr-defined]
        return super().process_response(request, response)
