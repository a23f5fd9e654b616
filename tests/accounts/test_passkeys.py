"""A passkey, made and used with the browser's virtual authenticator: a real WebAuthn ceremony on both sides."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from furrow.accounts.services import user_ensure
from tests.channels.live import committed_rows, serving_django
from tests.e2e.conftest import chromium

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    # Only where tests serve static files through ASGI without whitenoise's stored copies.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    # Django leaves the spooled body of an ASGI request to the garbage collector.
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.Spooled:ResourceWarning"),
]

EMAIL, PASSWORD = "keys@example.test", "long-enough-and-rare"


@pytest.fixture
def home(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A passkey belongs to a name; browsers make none for an address in numbers."""
    with committed_rows(django_db_blocker), serving_django() as url:
        user = user_ensure(email=EMAIL, name="Keys", is_verified=True)
        user.set_password(PASSWORD)
        user.save()
        connections.close_all()
        yield url.replace("127.0.0.1", "localhost")


@pytest.fixture
def page(home: str) -> Iterator[Page]:
    """In English, with an authenticator that knows its owner."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(locale="en-GB").new_page()
        _add_authenticator(page)
        yield page
        browser.close()


def _add_authenticator(page: Page) -> None:
    page.set_default_timeout(15_000)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_passkey_is_made_and_signs_in_alone(home: str, page: Page) -> None:
    page.goto(f"{home}/accounts/login/")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)

    page.goto(f"{home}/accounts/2fa/webauthn/add/")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.fill("input[name=name]", "Laptop")
    page.check("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "/webauthn/add" not in url)
    page.goto(f"{home}/accounts/2fa/webauthn/")
    assert "Laptop" in page.content()

    page.context.clear_cookies()
    page.goto(f"{home}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{home}/accounts/profile/")
    assert page.url.endswith("/accounts/profile/")
