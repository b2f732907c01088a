"""The HTTP API (CONTRACT.md sections 3 to 6). Authentication is on the objects, so an operation has to ask to be open."""

from workflows_app.api.site import api, v1

__all__ = ["api", "v1"]
