from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "furrow.channels"
    label = "channels"
