from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "furrow.conversations"
    label = "conversations"
