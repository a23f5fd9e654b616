from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "furrow.gateway"
    label = "gateway"
