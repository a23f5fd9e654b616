"""Routes under /widget/: scripts for any site, and the API they call."""

from django.urls import path, re_path

from furrow.channels import api, assets, feed_api

urlpatterns = [
    # One or two plain names: no other path can be spelled, so none can leave the folder.
    re_path(r"^(?P<name>(?:app/)?[a-z0-9]+\.js)$", assets.script, name="widget-script"),
    path("api/sessions", api.sessions, name="widget-sessions"),
    path("api/conversation", api.conversation, name="widget-conversation"),
    path("api/messages", api.messages, name="widget-messages"),
    path("api/turns/<str:turn_id>/events", api.events, name="widget-events"),
    path("api/turns/<str:turn_id>/feedback", api.feedback, name="widget-feedback"),
    path("api/citations/<str:turn_id>/<str:number>", api.citation, name="widget-citation"),
    path("api/feed", feed_api.feed, name="widget-feed"),
    path("api/csat", feed_api.csat, name="widget-csat"),
    path("api/handoff", api.handoff, name="widget-handoff"),
    path("api/photos", api.photo_create, name="widget-photos"),
    path("api/photos/<str:photo_id>", api.photo_read, name="widget-photo"),
    path("api/turns/<str:turn_id>/cards", api.cards, name="widget-cards"),
    path("api/transcript", api.transcript, name="widget-transcript"),
    path("api/unread", api.unread, name="widget-unread"),
    path("api/<path:rest>", api.nothing, name="widget-nothing"),
]
