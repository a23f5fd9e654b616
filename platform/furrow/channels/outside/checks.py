"""What each kind of channel needs to be set up, and how it is tried."""

from collections.abc import Mapping
from typing import Any

from furrow.channels.models import Connection
from furrow.channels.outside import rest
from furrow.channels.outside.connections import connection_noted
from furrow.channels.outside.mail import channel as mail
from furrow.channels.outside.replies import Held
from furrow.channels.outside.wechat import channel as wechat
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Invalid

Kind = Connection.Kind


def values_checked(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown, as it is stored. Raises `Invalid` naming the field."""
    checked: dict[str, Any] = _VALUES[kind](dict(values))
    return checked


def secrets_checked(kind: str, secrets: Mapping[str, str], *, is_new: bool) -> dict[str, str]:
    """Each secret of the kind; an empty one keeps what there is, so a new channel has none that is empty."""
    names = SECRETS[kind]
    found = {name: str(secrets.get(name) or "").strip() for name in names}
    if kind == Kind.WECHAT:
        found = wechat.secrets_checked(found)
    missing = [name for name in names if is_new and not found[name]]
    if missing:
        raise Invalid("A secret is missing.", code="secret_missing", field=missing[0])
    return found


def connection_try(connection: Connection) -> str:
    """Asks the other side; what is to be said about it. Outside any transaction: the other side may be slow."""
    code = ""
    try:
        return str(_PROBES[connection.kind](connection))
    except Held:
        code = "held"
        raise
    except AppError as error:
        code = error.code
        raise
    finally:
        with tenant_tx(connection.tenant_id):
            connection_noted(connection.id, error_code=code)


SECRETS: dict[str, tuple[str, ...]] = {
    Kind.REST: (),
    Kind.WECHAT: ("secret", "token", "aes_key"),
    Kind.EMAIL: ("password",),
}
_VALUES: dict[str, Any] = {
    Kind.REST: rest.values_checked,
    Kind.WECHAT: wechat.values_checked,
    Kind.EMAIL: mail.values_checked,
}
_PROBES: dict[str, Any] = {
    Kind.REST: rest.ping,
    Kind.WECHAT: wechat.probe,
    Kind.EMAIL: mail.probe,
}
