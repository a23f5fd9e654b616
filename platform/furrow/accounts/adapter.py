"""What Furrow changes in django-allauth: sign-up is by invitation unless the operator opens it."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.ACCOUNT_ALLOW_SIGNUP)

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Users have no username."""
