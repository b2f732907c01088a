"""Django's admin: templates to edit, what ran to look at."""

from django.contrib import admin

from workflows_app.admin import events, foreign, schedules, secrets, templates, tokens, workers, workflows

__all__ = ["events", "foreign", "schedules", "secrets", "templates", "tokens", "workers", "workflows"]

admin.site.site_header = admin.site.site_title = "Hybrid Engine"
admin.site.index_title = "Administration"
foreign.close()
