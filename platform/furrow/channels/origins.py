"""Sites as browsers name them: scheme, host and port, spelled in one way so that equality is enough."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from furrow.core.errors import Invalid

DEFAULT_PORTS = {"http": 80, "https": 443}
LENGTH = 200
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.ASCII)
_ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]{1,190}", re.ASCII)
# Names that never leave a house or an office; plain http is accepted only there.
_LOCAL_SUFFIXES = ("localhost", "test", "local", "lan", "internal", "home.arpa")
# Browsers and our IDNA codec disagree on these, and might mean different sites by the same name.
_AMBIGUOUS = frozenset("ßς\u200c\u200d")


def origin_of(text: str) -> str:
    """`https://host[:port]` in the spelling of browsers, names in punycode. Raises `Invalid` for anything that
    is more or less than a site, and for plain http outside local test hosts.
    """
    parts, port = _parts_of(text)
    host = _ascii_host(parts.hostname or "")
    if parts.scheme == "http" and not _is_local(host):
        raise _refusal(
            text, _("A site needs https; plain http is only for test machines of your own.")
        )
    is_default = port is None or port == DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{port}")


def is_origin(text: str) -> bool:
    """Whether a browser may have sent this as its `Origin`; the word `null` names no site."""
    return len(text) <= LENGTH and _ORIGIN.fullmatch(text) is not None


def _parts_of(text: str) -> tuple[SplitResult, int | None]:
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _not_a_site(text) from None
    is_bare = parts.path in {"", "/"} and not parts.query and not parts.fragment
    is_plain = "@" not in parts.netloc and not re.search(r"[\s\\]", text)
    if parts.scheme not in DEFAULT_PORTS or not is_bare or not is_plain or port == 0:
        raise _not_a_site(text)
    return parts, port


def _ascii_host(host: str) -> str:
    try:
        spelled = "" if _AMBIGUOUS & set(host) else host.encode("idna").decode().lower()
    except UnicodeError:
        spelled = ""
    if not _HOST.fullmatch(spelled):
        raise _not_a_site(host)
    return spelled


def _is_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return any(host == suffix or host.endswith(f".{suffix}") for suffix in _LOCAL_SUFFIXES)
    return address.is_private or address.is_loopback


def _not_a_site(text: str) -> Invalid:
    return _refusal(text, _("A site is written like https://www.example.com, without a path."))


def _refusal(text: str, message: str) -> Invalid:
    return Invalid(message, code="origin_invalid", field="allowed_origins", origin=text[:LENGTH])
