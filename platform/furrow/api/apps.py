from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "furrow.api"
    label = "api"
