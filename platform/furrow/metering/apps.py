from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "furrow.metering"
    label = "metering"
