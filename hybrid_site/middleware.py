"""The middleware, in order, for local mode and for server mode, and the policy it sends."""

from __future__ import annotations

from csp.constants import NONE, SELF

CONTENT_POLICY = {
    "default-src": [SELF],
    "base-uri": [NONE],
    "object-src": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}


def chain(*, is_local: bool) -> list[str]:
    """Local mode refuses whatever did not come from this machine and signs the local user in; server mode asks for a login."""
    return [
        *(["hybrid_site.local_mode.RefuseForeignRequests"] if is_local else []),
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "hybrid_site.content_policy.ContentPolicy",
        "workflows_app.dashboard.pace.MeasurePolls",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "hybrid_site.local_mode.SignInLocalUser" if is_local else "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "workflows_app.dashboard.errors.InPlainWords",
    ]
