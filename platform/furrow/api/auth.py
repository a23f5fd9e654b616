"""The credential of an API call. The tenant of everything comes from here, never from the request."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from furrow.core.context import tenant_tx
from furrow.core.errors import NotSignedIn, Refused
from furrow.core.keys import tenant_key
from furrow.core.rates import rate_check
from furrow.tenants.models import ApiKey
from furrow.tenants.selectors import api_key_by_secret
from furrow.tenants.services import Actor

_LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True)
class Credential:
    """Who calls: an API key of one tenant."""

    key: ApiKey

    @property
    def tenant_id(self) -> UUID:
        return self.key.tenant_id

    @property
    def actor(self) -> Actor:
        return Actor.api_key(self.key)

    @property
    def caller(self) -> str:
        """Separates the idempotency keys of different callers of one tenant."""
        return f"key:{self.key.id}"

    def require(self, scope: str) -> None:
        if scope not in self.key.scopes:
            raise Refused("This key may not do that.", code="scope_missing", scope=scope)


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer fr_key_…`; anything else is refused alike, whatever is wrong with it."""

    def authenticate(self, request: HttpRequest, token: str) -> Credential:
        key = api_key_by_secret(token) if token.startswith("fr_key_") and len(token) < 100 else None
        if key is None:
            raise NotSignedIn("The API key is missing, unknown, expired or revoked.")
        rate_check(
            f"{settings.API_CALLS_PER_MINUTE}/minute",
            tenant_key(key.tenant_id, "api", key.id),
            message="This key makes too many calls.",
        )
        _note_use(key)
        return Credential(key)


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_STEP:
        with tenant_tx(key.tenant_id):
            ApiKey.objects.filter(id=key.id).update(last_used_at=now)
