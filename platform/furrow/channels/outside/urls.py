"""Routes under /channels/, called by servers outside."""

from django.urls import path

from furrow.channels.outside import hooks

urlpatterns = [
    path("messages/<str:public_key>", hooks.message_in, name="channel-messages"),
    path("wechat/<str:public_key>", hooks.wechat_call, name="channel-wechat"),
]
