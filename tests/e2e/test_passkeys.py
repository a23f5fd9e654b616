"""A passkey, made and used with the browser's virtual authenticator: a real WebAuthn ceremony on both sides."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import OWNER, Furrow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PASSWORD = "long-enough-and-rare"
SET_PASSWORD = f"""
from furrow.accounts.models import User
user = User.objects.get(email="{OWNER}")
user.set_password("{PASSWORD}")
user.save()
"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """In English, with an authenticator that knows its owner."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    devtools = context.new_cdp_session(page)
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
    yield page
    context.close()


def test_passkey_is_made_and_signs_in_alone(furrow: Furrow, page: Any) -> None:
    furrow.manage("shell", "--no-imports", "-c", SET_PASSWORD)
    # A passkey belongs to a name; browsers make none for an address in numbers.
    home = furrow.url.replace("127.0.0.1", "localhost")
    page.goto(f"{home}/accounts/login/")
    page.fill("input[name=login]", OWNER)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)

    page.goto(f"{home}/accounts/2fa/webauthn/add/")
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
