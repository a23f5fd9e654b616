"""The credential of a `/v1` call: whose key it is, and whether it is good at this very moment.

Which tenant a secret belongs to never changes, so a process remembers it (by the secret's hash). Whether the
key is still good, and for what, is asked of the database with every call, in the thread that does the call's
other database work: a revoked key stops with the next call, and a good one costs one message.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from furrow.accounts.services import hash_token
from furrow.core.context import tenant_tx
from furrow.core.errors import NotSignedIn, Refused
from furrow.core.keys import tenant_key
from furrow.core.rates import rate_check
from furrow.core.threads import in_thread
from furrow.tenants.models import ApiKey
from furrow.tenants.selectors import api_key_by_secret, api_key_scopes

_MOST_KNOWN = 10_000
_LAST_USED_STEP_S = 60.0
_known: dict[str, tuple[UUID, UUID]] = {}
_noted: dict[UUID, float] = {}


@dataclass(frozen=True)
class Caller:
    """A key of one tenant. `check` must be passed before anything is done for it."""

    secret_hash: str
    tenant_id: UUID
    key_id: UUID

    @property
    def name(self) -> str:
        """Separates the idempotency keys of different callers of one tenant."""
        return f"key:{self.key_id}"

    def check(self, *scopes: str) -> list[str]:
        """Raises unless the key is good now, has the scopes and is within its rate; what it may do. In a thread."""
        held = api_key_scopes(tenant_id=self.tenant_id, key_id=self.key_id)
        if held is None:
            _known.pop(self.secret_hash, None)
            raise _not_signed_in()
        rate_check(
            f"{settings.API_CALLS_PER_MINUTE}/minute",
            tenant_key(self.tenant_id, "api", self.key_id),
            message="This key makes too many calls.",
        )
        self._note_use()
        for scope in scopes:
            if scope not in held:
                raise Refused("This key may not do that.", code="scope_missing", param=scope)
        return held

    def _note_use(self) -> None:
        now = time.monotonic()
        if now - _noted.get(self.key_id, -_LAST_USED_STEP_S) < _LAST_USED_STEP_S:
            return
        if len(_noted) > _MOST_KNOWN:
            _noted.clear()
        _noted[self.key_id] = now
        with tenant_tx(self.tenant_id):
            ApiKey.objects.filter(id=self.key_id).update(last_used_at=timezone.now())


async def caller_of(headers: dict[str, str]) -> Caller:
    """From `Authorization: Bearer fr_key_…`, the one place where a key is looked for. Whatever is wrong with
    it is refused alike.
    """
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith("fr_key_") or len(secret) > 100:
        raise _not_signed_in()
    secret_hash = hash_token(secret)
    known = _known.get(secret_hash)
    if known is None:
        key = await in_thread(api_key_by_secret, secret)
        if key is None:
            raise _not_signed_in()
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[secret_hash] = (key.tenant_id, key.id)
    return Caller(secret_hash, *known)


def _not_signed_in() -> NotSignedIn:
    return NotSignedIn("The API key is missing, unknown, expired or revoked.")
