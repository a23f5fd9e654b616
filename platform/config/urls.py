"""All routes. Pages of a tenant lie under /t/<slug>/, REST under /api/v1/, the widget under /widget/, what servers outside call under /channels/."""

from django.urls import URLPattern, URLResolver, include, path

from furrow.dashboard.urls import trade_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("furrow.ops.urls")),
    path("", include("furrow.dashboard.entry_urls")),
    path("operator/", include("furrow.dashboard.operator_urls")),
    path("accounts/", include("furrow.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("t/<slug:tenant_slug>/", include("furrow.dashboard.urls")),
    path("t/<slug:tenant_slug>/", include(trade_urlpatterns)),
    path("api/v1/", include("furrow.api.urls")),
    path("widget/", include("furrow.channels.urls")),
    path("channels/", include("furrow.channels.outside.urls")),
]

handler404 = "furrow.core.web.not_found"
handler500 = "furrow.core.web.server_error"
