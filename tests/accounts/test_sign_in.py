"""One-time links, language, and allauth's pages in our look."""

import pytest
from django.test import Client
from django.urls import reverse

from furrow.accounts.models import User
from furrow.accounts.services import sign_in_link_create
from furrow.dashboard.translations import compile_catalogues


@pytest.fixture(scope="session", autouse=True)
def _compiled_catalogue() -> None:
    compile_catalogues()


def test_link_preview_does_not_spend_the_link(cast):
    url = reverse("accounts:link", args=[sign_in_link_create(user=cast.owner)])
    assert Client().get(url).status_code == 200
    client = Client()
    assert client.post(url)["Location"] == "/"
    assert client.get("/").status_code == 302
    assert "_auth_user_id" in client.session
    assert Client().post(url).status_code == 401


def test_link_still_asks_for_the_second_step(cast):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: PLC0415  internal

    TOTP.activate(cast.owner, generate_totp_secret())
    client = Client()
    url = reverse("accounts:link", args=[sign_in_link_create(user=cast.owner)])
    assert client.post(url)["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session


def test_language_follows_the_browser_then_the_choice(cast):
    client = Client(headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert "Welcome back" in client.get("/accounts/login/").content.decode()
    client.post("/accounts/language/", {"language": "zh-hans", "next": "/accounts/login/"})
    assert "欢迎回来" in client.get("/accounts/login/").content.decode()


def test_language_is_remembered_with_the_person(cast):
    client = cast.client(cast.owner)
    response = client.post("/accounts/language/", {"language": "en", "next": "/"})
    assert response["Location"] == "/"
    assert User.objects.get(id=cast.owner.id).language == "en"
    fresh = cast.client(User.objects.get(id=cast.owner.id))
    assert fresh.get("/").cookies["django_language"].value == "en"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_language_switch_leads_nowhere_else(target, db):
    response = Client().post("/accounts/language/", {"language": "en", "next": target})
    assert response["Location"] == "/"


def test_unknown_language_changes_nothing(db):
    response = Client().post("/accounts/language/", {"language": "xx", "next": "/"})
    assert "django_language" not in response.cookies


def test_profile_is_saved(cast):
    client = cast.client(cast.owner)
    client.post("/accounts/profile/", {"name": "Fang", "language": "en"})
    assert User.objects.get(id=cast.owner.id).name == "Fang"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_email_verification_sent",
        "account_reset_password_done",
    ],
)
def test_entrance_page_is_in_our_look(name, language, db):
    client = Client(headers={"Accept-Language": language})
    page = client.get(reverse(name)).content.decode()
    assert "entrance-card" in page
    assert "style=" not in page
    assert f'<html lang="{language}"' in page


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_change_password",
        "account_logout",
        "account_reauthenticate",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "mfa_generate_recovery_codes",
    ],
)
def test_own_account_page_is_in_our_look(name, cast):
    cast.owner.set_password("long-enough-and-rare")
    cast.owner.save()
    client = Client()
    client.post("/accounts/login/", {"login": cast.owner.email, "password": "long-enough-and-rare"})
    response = client.get(reverse(name), follow=True)
    assert response.status_code in {200, 403}
    page = response.content.decode()
    assert "entrance-card" in page
    assert "style=" not in page


def test_signup_is_closed_without_an_invitation(db):
    Client().post("/accounts/signup/", {"email": "x@example.test", "password1": "long-enough-1"})
    assert not User.objects.filter(email="x@example.test").exists()
