from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "furrow.ops"
    label = "ops"
