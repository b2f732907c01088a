"""Every URL starts here: API, admin, login, demo service, pages."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from workflows_app.api import api, v1

handler400 = "workflows_app.dashboard.errors.bad_request"
handler403 = "workflows_app.dashboard.errors.forbidden"
handler404 = "workflows_app.dashboard.errors.not_found"
handler500 = "hybrid_site.failures.server_error"

_to_docs = RedirectView.as_view(pattern_name="api:openapi-view")

urlpatterns = [
    path("api/", api.urls),
    path("v1/", v1.urls),
    path("docs", _to_docs, name="docs"),
    path("redoc", _to_docs, name="redoc"),
    path("admin/", admin.site.urls),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
    path("", include("workflows_app.dashboard.urls")),
]
if settings.IS_LOCAL:
    urlpatterns.append(path("demo/", include("workflows_app.demo.urls")))
