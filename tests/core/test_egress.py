"""The egress client refuses what is not public, at every hop, by the address it will really connect to."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from furrow.core import egress
from furrow.core.errors import AppError, Invalid, UpstreamFailed
from tests.channels.outside_fakes import dripping


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_private_addresses_are_not_public(address):
    assert not egress.is_public_address(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_are_public(address):
    assert egress.is_public_address(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://0x7f.1/", "http://2130706433/",
        "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://a@127.0.0.1/", "http://user:pw@example.com/",
        "http://example.com\\@127.0.0.1/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)",
        "http://169.254.169.254/latest/meta-data/", "http://example.com:6379/", "http:///x", "", "not a url",
    ],
)  # fmt: skip
def test_dangerous_urls_are_refused_before_any_connection(url, monkeypatch):
    monkeypatch.setattr(egress, "_get", lambda *a: pytest.fail("connected"))
    with pytest.raises(AppError) as caught:
        egress.fetch_public(url, max_bytes=1000)
    assert caught.value.code in {"url_invalid", "address_refused", "dns_failed"}


def test_name_with_one_private_address_is_refused(monkeypatch):
    answers = [(2, 1, 6, "", ("1.1.1.1", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers)
    with pytest.raises(Invalid) as caught:
        egress.fetch_public("http://rebind.example/", max_bytes=1000)
    assert caught.value.code == "address_refused"


class Site(BaseHTTPRequestHandler):
    seen_hosts: list[str] = []

    def do_GET(self) -> None:
        self.seen_hosts.append(self.headers["Host"])
        if self.path == "/go":
            self.send_response(302)
            self.send_header("Location", "http://internal.example/secret")
            self.end_headers()
            return
        body = b"x" * (5000 if self.path == "/big" else 5)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch):
    """A local server that stands in for the public address of public.example."""
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    port = server.server_address[1]
    lookups: list[str] = []

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        lookups.append(host)
        address = "10.0.0.5" if host == "internal.example" else "127.0.0.1"
        return [(2, 1, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(egress, "_ALLOWED_PORTS", {80, 443, port})
    real = egress.is_public_address
    monkeypatch.setattr(egress, "is_public_address", lambda a: a == "127.0.0.1" or real(a))
    Site.seen_hosts.clear()
    yield f"http://public.example:{port}", lookups
    server.shutdown()
    server.server_close()
    thread.join()


def test_page_is_fetched_from_the_checked_address_under_its_own_name(site):
    url, lookups = site
    fetched = egress.fetch_public(f"{url}/page", max_bytes=1000)
    assert fetched.content == b"xxxxx"
    assert Site.seen_hosts[0].startswith("public.example")
    # Once: nothing resolves the name again between check and use; the address itself needs no look-up.
    assert lookups.count("public.example") == 1


def test_redirect_into_the_private_network_is_refused(site):
    url, _ = site
    with pytest.raises(Invalid) as caught:
        egress.fetch_public(f"{url}/go", max_bytes=1000)
    assert caught.value.code == "address_refused"


def test_too_large_a_page_is_cut_off(site):
    url, _ = site
    with pytest.raises(UpstreamFailed) as caught:
        egress.fetch_public(f"{url}/big", max_bytes=1000)
    assert caught.value.code == "response_too_large"


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"]
)
def test_page_that_drips_is_left_when_the_time_is_over(said, monkeypatch):
    monkeypatch.setattr(egress, "is_public_address", lambda text: text == "127.0.0.1")
    monkeypatch.setattr(egress, "FETCH_S", 0.3)
    monkeypatch.setattr(egress, "POST_S", 0.3)
    with dripping(said, b"a") as port:
        monkeypatch.setattr(egress, "_ALLOWED_PORTS", {port})
        url, begun = f"http://127.0.0.1:{port}/", time.monotonic()
        with pytest.raises(UpstreamFailed) as caught:
            egress.fetch_public(url, max_bytes=10**9)
        assert caught.value.code == "fetch_failed"
        if b"X-Slow" in said:
            with pytest.raises(UpstreamFailed):
                egress.post_public(url, b"{}", headers={})
    assert time.monotonic() - begun < 3
