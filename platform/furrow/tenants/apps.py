from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "furrow.tenants"
    label = "tenants"
