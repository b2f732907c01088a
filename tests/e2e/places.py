"""Every address of the dashboard, the admin and the documentation, in one list: a URL of the dashboard that is not in it fails a test.

Places are filled in with the ids that `tests.hostile_rows` and `tests.still_lives` give."""

from __future__ import annotations

from collections.abc import Mapping

VIEWS = ("graph", "timeline", "list", "params", "outputs", "events", "json")

PAGES: Mapping[str, tuple[str, ...]] = {
    "home": ("/",),
    "workflows": ("/workflows", "/workflows?q=error:{text}", "/workflows?status=failed", "/workflows?q={text}", "/workflows?tag={text}"),
    "compare": ("/workflows/compare?a={workflow}&b={other}",),
    "workflow": (
        *(f"/workflows/{{wide}}?view={view}" for view in VIEWS),
        *(f"/workflows/{{workflow}}?view={view}&step=a" for view in VIEWS),
        "/workflows/{wide}?view=list&step={id}",
        "/workflows/{wide}?step=all&elements=failed",
        "/workflows/{wide}?step=all[1]",
        "/workflows/{workflow}?step=a&find={text}&wrap=off",
        "/workflows/{workflow}?step={text}",
    ),
    "workflow-retry": ("/workflows/{workflow}/retry-with?step=a", "/workflows/{wide}/retry-with"),
    "workflow-log-rows": ("/workflows/{workflow}/log-rows?step=a",),
    "templates": ("/templates", "/templates?q={text}", "/templates?tag={text}"),
    "template": ("/templates/{slug}",),
    "template-start": ("/templates/{slug}/start", "/templates/{slug}/start?from={workflow}", "/templates/{slug}/start?view=json"),
    "schedules": ("/schedules", "/schedules?template={text}"),
    "schedule-new": ("/schedules/new", "/schedules/new?template={slug}", "/schedules/new?template={slug}&from={workflow}"),
    "schedule-preview": ("/schedules/preview?cron={text}&timezone={text}",),
    "schedule": ("/schedules/{schedule}",),
    "approvals": ("/approvals",),
    "approval": ("/approvals/{ask}/ask",),
    "events": ("/events", "/events?source={text}"),
    "event": ("/events/{event}",),
    "notifications": ("/notifications", "/notifications?show=unread"),
    "workers": ("/workers",),
    "palette": ("/palette", "/palette?q={text}"),
}
FILES = {
    "workflow-log": "/workflows/{workflow}/log.txt",
    "workflow-json": "/workflows/{workflow}/workflow.json",
    "workflow-outputs": "/workflows/{workflow}/outputs.json",
}
ONLY_POSTED = {
    "bulk", "bulk-confirmed", "view-save", "view-change", "view-delete", "workflow-trigger", "workflow-act", "template-plan",
    "schedule-act", "notifications-read-all", "notification-read", "worker-act", "queue-act", "theme",
}  # fmt: skip
LEAD_ELSEWHERE = {"workflow-older", "workflow-newer"}
BULK = {"workflow": "{workflow}", "query": "?q={typed}"}
POSTED: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]] = {
    "bulk": (
        ("/workflows/bulk", {**BULK, "verb": "delete"}),
        ("/workflows/bulk", {**BULK, "verb": "curl"}),
        ("/workflows/bulk", {**BULK, "verb": "{typed}"}),
        ("/workflows/bulk", {"all": "1", "verb": "stop", "shown": "{typed}", "query": "{typed}"}),
    ),
    "bulk-confirmed": (("/workflows/bulk/confirmed", {"asked": "{typed}", "query": "q={typed}"}),),
    "view-save": (("/views", {"view-name": "{typed}", "query": "{typed}"}),),
    "workflow-retry": (("/workflows/{workflow}/retry-with", {"step": "{typed}", "p.plain": "{typed}"}),),
    "workflow-act": (("/workflows/{workflow}/resume", {"back": "?q={typed}", "from_step": "{typed}"}),),
    "template-start": (
        ("/templates/{slug}/start", {"p.plain": "{typed}", "idempotency_key": "{typed}"}),
        ("/templates/{slug}/start", {"p.plain": "{typed}", "fill": "json"}),
        ("/templates/{slug}/start", {"params": "{typed}", "view": "json"}),
    ),
    "template-plan": (("/templates/{slug}/plan", {"p.plain": "{typed}"}),),
    "schedule-new": (("/schedules/new", {"template": "{slug}", "name": "{typed}", "cron": "{typed}", "timezone": "{typed}"}),),
    "schedule": (("/schedules/{schedule}", {"name": "{typed}", "cron": "{typed}", "timezone": "{typed}", "p.plain": "{typed}"}),),
    "approval": (("/approvals/{ask}/ask", {"decision": "approve", "reason": "{typed}", "back": "{typed}", "p.choice": "{typed}"}),),
    "events": (("/events", {"payload": "{typed}", "source": "{typed}", "key": "{typed}"}),),
    "queue-act": (("/queue/pause", {"reason": "{typed}"}),),
    "theme": (("/theme", {"theme": "{typed}", "next": "{typed}"}),),
}
ERRORS = ("/workflows/{nowhere}", "/templates/{text}", "/events/{nowhere}", "/approvals/{ask}/{text}", "/{text}", "/workflows/x/{text}/y")
AROUND = ("/login?next={text}", "/api/docs", "/v1/docs")
