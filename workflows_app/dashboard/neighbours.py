"""From one workflow to the one before or after it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from workflows_app.models import Workflow

ENDS = {"older": "This is the oldest workflow.", "newer": "This is the newest workflow."}


@login_required
@require_safe
def neighbour(request: HttpRequest, uid: uuid.UUID, side: str) -> HttpResponse:
    """Of those that the list shows: parts of others are left out."""
    here = get_object_or_404(Workflow.objects.only("pk", "uid"), uid=uid)
    others = Workflow.objects.filter(parent__isnull=True)
    beyond = others.filter(pk__lt=here.pk).order_by("-pk") if side == "older" else others.filter(pk__gt=here.pk).order_by("pk")
    found = beyond.values_list("uid", flat=True).first()
    if found is None:
        messages.info(request, ENDS[side])
    return redirect("dashboard:workflow", found or uid)
