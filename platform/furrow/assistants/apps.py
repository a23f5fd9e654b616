from django.apps import AppConfig


class AssistantsConfig(AppConfig):
    name = "furrow.assistants"
    label = "assistants"
