"""Secrets that must be given back as they were: passwords and keys of other services, encrypted in their rows.

The key is derived from the installation's secret, so a stolen copy of the database opens none of them. A seal is
bound to its place: moved into another row or another tenant's, it does not open.
"""

import base64
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from furrow.core.errors import AppError


class SealBroken(AppError):
    """The installation's secret was changed, or the row was tampered with: the secret has to be entered again."""

    status, code = 409, "secret_unreadable"


def seal(values: dict[str, str], *, place: str) -> str:
    text = json.dumps({"place": place, "values": values}, separators=(",", ":"))
    return _box(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(sealed: str, *, place: str) -> dict[str, str]:
    """Empty for an empty seal."""
    if not sealed:
        return {}
    try:
        opened: Any = json.loads(_box(settings.SECRET_KEY).decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        raise SealBroken("The stored secret cannot be read. Enter it again.") from None
    if opened["place"] != place:
        raise SealBroken("The stored secret cannot be read. Enter it again.")
    return dict(opened["values"])


@lru_cache(maxsize=4)
def _box(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"furrow.core.sealing.v1")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
