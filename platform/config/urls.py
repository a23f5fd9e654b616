"""All routes. Pages of a tenant lie under /t/<slug>/, REST under /api/v1/, the widget under /widget/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("furrow.ops.urls")),
    path("api/v1/", include("furrow.api.urls")),
]

handler404 = "furrow.core.web.not_found"
handler500 = "furrow.core.web.server_error"
