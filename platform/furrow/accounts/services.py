"""Writes on people: creating them and one-time sign-in links."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from furrow.accounts.models import SignInLink, User
from furrow.core.errors import NotSignedIn

LINK_LIFETIME = timedelta(minutes=30)


def hash_token(token: str) -> str:
    """Tokens are 256 random bits, so an unsalted fast hash is enough to store them by."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def user_ensure(*, email: str, name: str = "", is_verified: bool = False) -> User:
    """The user with this address, created without a password when new. `is_verified` only when the address
    was proven elsewhere (an invitation link, the operator's command line).
    """
    email = email.strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email=email, name=name)
    if is_verified:
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
    return user


def sign_in_link_create(*, user: User) -> str:
    """A token for `/accounts/link/<token>/`, good once and for 30 minutes."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        user=user, token_hash=hash_token(token), expires_at=timezone.now() + LINK_LIFETIME
    )
    return token


@transaction.atomic
def sign_in_link_use(*, token: str) -> User:
    """The link's user; the link is spent. Used, expired and unknown links fail alike."""
    link = (
        SignInLink.objects.select_for_update()
        .filter(token_hash=hash_token(token), used_at=None, expires_at__gt=timezone.now())
        .select_related("user")
        .first()
    )
    if link is None or not link.user.is_active:
        raise NotSignedIn("This link was used or has expired.", code="link_invalid")
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    return link.user
