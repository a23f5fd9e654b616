"""All routes. Pages of a tenant lie under /t/<slug>/, REST under /api/v1/, the widget under /widget/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

handler404 = "furrow.core.web.not_found"
handler500 = "furrow.core.web.server_error"
