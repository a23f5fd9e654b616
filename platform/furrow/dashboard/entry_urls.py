"""Doors without the tenant middleware: they find the tenant themselves."""

from django.urls import path

from furrow.dashboard.views import start

urlpatterns = [
    path("", start.start, name="start"),
    path("invitations/<str:token>/", start.invitation, name="invitation"),
    # `slug`, not `tenant_slug`: this view runs outside the tenant middleware.
    path("t/<slug:slug>/turns/<uuid:turn_id>/events/", start.turn_events, name="turn_events"),
]
