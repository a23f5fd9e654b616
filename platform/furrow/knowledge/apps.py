from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "furrow.knowledge"
    label = "knowledge"
