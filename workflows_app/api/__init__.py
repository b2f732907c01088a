"""The HTTP API (CONTRACT.md section 3). Authentication is on the object, so an operation has to ask to be open."""

from workflows_app.api.site import api

__all__ = ["api"]
