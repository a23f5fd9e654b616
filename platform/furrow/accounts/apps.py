from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "furrow.accounts"
    label = "accounts"
