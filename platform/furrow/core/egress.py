"""The one way out. `fetch_public` and `post_public` are for addresses a tenant typed; `internal_client` for
the operator's own.

A name is resolved once, every address it has must be public, and the connection goes to the address that was
checked; each redirect passes the same gate. Failures carry no body, header or timing of the other side.
"""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from furrow.core.deadlines import Deadline
from furrow.core.errors import Invalid, UpstreamFailed

MAX_REDIRECTS = 4
USER_AGENT = "Furrow/0.1 (document import)"
NEWS_AGENT = "Furrow/0.1 (webhook)"
_ALLOWED_PORTS = {80, 443, 8080, 8443}
# Of all of it, however slowly it comes; `timeout_s` is of one read.
FETCH_S = 120.0
POST_S = 30.0


@dataclass(frozen=True)
class Fetched:
    """`url` is where the content was found after redirects."""

    url: str
    content: bytes
    content_type: str


def is_public_address(text: str) -> bool:
    """True only for a globally reachable unicast address; mapped and translated IPv4 is looked through."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public_address(str(address.ipv4_mapped))
        if address.sixtofour or address.teredo or address in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _resolve(host: str, port: int) -> str:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UpstreamFailed(
            "The address could not be found.", code="dns_failed", permanent=True
        ) from None
    addresses = [str(info[4][0]) for info in infos]
    if not addresses or not all(is_public_address(address) for address in addresses):
        raise Invalid(
            "Addresses inside a private network cannot be fetched.", code="address_refused"
        )
    return addresses[0]


def check_url(url: str) -> httpx.URL:
    """Refuses with `Invalid` what can be told from the address alone; the name is judged when it is fetched."""
    parsed = _parsed(url)
    try:
        literal = is_public_address(parsed.host)
    except ValueError:
        literal = parsed.host != "localhost"
    if not literal:
        raise Invalid(
            "Addresses inside a private network cannot be fetched.", code="address_refused"
        )
    return parsed


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Invalid("This is not a web address.", code="url_invalid") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host or "\\" in url:
        raise Invalid("Only http and https addresses can be fetched.", code="url_invalid")
    if parsed.userinfo:
        raise Invalid("An address with a user name in it is not fetched.", code="url_invalid")
    if (parsed.port or 443) not in _ALLOWED_PORTS:
        raise Invalid("This port is not allowed.", code="url_invalid")
    return parsed


def fetch_public(url: str, *, max_bytes: int, timeout_s: float = 20.0) -> Fetched:
    """GETs a public page. Raises `Invalid` for what may not be fetched, `UpstreamFailed` for what failed."""
    with Deadline(FETCH_S) as deadline, _client(timeout_s) as client:
        for _ in range(MAX_REDIRECTS + 1):
            parsed = _parsed(url)
            pinned = _pinned(parsed)
            try:
                result = _get(client, pinned, parsed, max_bytes, deadline)
            except httpx.HTTPError:
                raise UpstreamFailed(
                    "The page could not be fetched.", code="fetch_failed"
                ) from None
            if isinstance(result, Fetched):
                return result
            url = str(parsed.join(result))
    raise UpstreamFailed(
        "The address redirects too often.", code="too_many_redirects", permanent=True
    )


def post_public(
    url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float = 10.0
) -> int:
    """POSTs to a public address and returns the status it answered. A redirect is an answer, never followed; of
    what the other side says nothing else is read. Raises as `fetch_public` does.
    """
    parsed = _parsed(url)
    pinned = _pinned(parsed)
    own = {"Host": parsed.netloc.decode("ascii"), "User-Agent": NEWS_AGENT}
    with Deadline(POST_S) as deadline, _client(timeout_s) as client:
        request = client.build_request(
            "POST",
            pinned,
            content=body,
            headers={**headers, **own},
            extensions=_held_to(parsed, deadline),
        )
        try:
            response = client.send(request, stream=True)
            response.close()
        except httpx.HTTPError:
            raise UpstreamFailed("The address did not answer.", code="no_answer") from None
    return response.status_code


def _pinned(parsed: httpx.URL) -> httpx.URL:
    """The same address with the name replaced by what it was found at, checked."""
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    return parsed.copy_with(host=_resolve(parsed.host, port))


def _held_to(asked: httpx.URL, deadline: Deadline) -> dict[str, Any]:
    """The certificate to the name that was asked for, and the connection to its time."""

    def connected(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            deadline.hold(info["return_value"].get_extra_info("socket"))

    return {"sni_hostname": asked.raw_host.decode("ascii"), "trace": connected}


def _get(
    client: httpx.Client, pinned: httpx.URL, asked: httpx.URL, max_bytes: int, deadline: Deadline
) -> Fetched | str:
    headers = {"Host": asked.netloc.decode("ascii"), "User-Agent": USER_AGENT}
    request = client.build_request(
        "GET", pinned, headers=headers, extensions=_held_to(asked, deadline)
    )
    response = client.send(request, stream=True)
    try:
        if response.is_redirect:
            return response.headers["location"]
        if response.status_code != 200:
            raise UpstreamFailed(
                "The site did not give the page.",
                code="fetch_failed",
                permanent=response.status_code < 500,
            )
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > max_bytes:
                raise UpstreamFailed(
                    "The page is too large.", code="response_too_large", permanent=True
                )
        if deadline.is_over:
            # Without a length, our own end of the connection looks like the page's.
            raise UpstreamFailed("The page could not be fetched.", code="fetch_failed")
        return Fetched(str(asked), bytes(content), response.headers.get("content-type", ""))
    finally:
        response.close()


def internal_client(base_url: str, *, timeout_s: float, api_key: str = "") -> httpx.Client:
    """For a server named in the settings, never by a request. The caller closes it."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return _client(timeout_s, base_url=base_url, headers=headers)


def _client(
    timeout_s: float, *, base_url: str = "", headers: Mapping[str, str] | None = None
) -> httpx.Client:
    return httpx.Client(
        base_url=base_url,
        timeout=timeout_s,
        headers=headers,
        verify=_authorities(),
        trust_env=False,
        follow_redirects=False,
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates count. Reading them takes 20 ms, more than most calls: once a process."""
    return httpx.create_ssl_context(trust_env=False)


def connect_public(
    host: str,
    port: int,
    *,
    ports: frozenset[int],
    is_tls: bool,
    timeout_s: float,
    deadline: Deadline,
) -> socket.socket:
    """A connection to a server a tenant named, for protocols that are not HTTP. Held to the address that was checked,
    its certificate to the name, and all that is said on it to the deadline.
    """
    if port not in ports:
        raise Invalid("This port is not allowed.", code="port_refused", field="port")
    address = _resolve(host, port)
    try:
        plain = socket.create_connection((address, port), timeout=timeout_s)
    except OSError:
        raise UpstreamFailed("The server did not answer.", code="no_answer") from None
    deadline.hold(plain)
    if not is_tls:
        return plain
    try:
        return tls_context().wrap_socket(plain, server_hostname=host)
    except (TimeoutError, ConnectionError, ssl.SSLEOFError):
        plain.close()
        raise UpstreamFailed("The server did not answer.", code="no_answer") from None
    except (ssl.SSLError, OSError):
        plain.close()
        raise UpstreamFailed(
            "The server's certificate cannot be trusted.", code="tls_failed", permanent=True
        ) from None


def tls_context() -> ssl.SSLContext:
    """Whose certificates count, also for a connection that becomes encrypted later."""
    return _authorities()
