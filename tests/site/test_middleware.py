"""Which middleware stands where in the two modes."""

from __future__ import annotations

from hybrid_site.middleware import chain

LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
REFUSE, SIGN_IN = "hybrid_site.local_mode.RefuseForeignRequests", "hybrid_site.local_mode.SignInLocalUser"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


def test_local_mode_looks_at_every_request_before_anything_else() -> None:
    assert chain(is_local=True)[0] == REFUSE


def test_local_mode_signs_in_after_the_session_was_asked_so_that_it_has_the_last_word() -> None:
    order = chain(is_local=True)
    assert order.index(SIGN_IN) > order.index(AUTHENTICATION)
    assert LOGIN not in order


def test_server_mode_asks_for_a_login_and_never_signs_anybody_in() -> None:
    order = chain(is_local=False)
    assert order.index(LOGIN) > order.index(AUTHENTICATION)
    assert not any("local_mode" in name for name in order)
