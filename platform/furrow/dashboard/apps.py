from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "furrow.dashboard"
    label = "dashboard"
