"""Members, invitations, keys, the business and its log."""

import re

from django.core import mail
from django.test import Client
from django.urls import reverse

from furrow.accounts.models import User
from furrow.core.context import tenant_tx
from furrow.tenants.models import ApiKey, Invitation, Membership, Tenant

PASSWORD = "long-enough-and-rare"


def invite(owner, page, django_capture_on_commit_callbacks) -> tuple[str, str]:
    """The link on screen and the link in the mail."""
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(page("invite"), {"email": "ann@example.test", "role": "staff"})
    shown = re.search(r'id="invitation-link">(\S+)</pre>', response.content.decode()).group(1)
    mailed = re.search(r"http\S+", mail.outbox[-1].body).group()
    return shown.partition("//")[2].partition("/")[2], mailed.partition("//")[2].partition("/")[2]


def test_invited_person_joins_with_a_password(
    owner, cast, page, django_capture_on_commit_callbacks
):
    shown, _ = invite(owner, page, django_capture_on_commit_callbacks)
    assert mail.outbox[-1].to == ["ann@example.test"]
    ann = Client()
    weak = ann.post(f"/{shown}", {"name": "Ann", "password": "1234567890"})
    assert weak.context["form"].errors["password"]
    response = ann.post(f"/{shown}", {"name": "Ann", "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == page("home")
    with tenant_tx(cast.tenant.id):
        assert Membership.objects.get(user__email="ann@example.test").role == "staff"
    assert Client().get(f"/{shown}").status_code == 404


def test_in_production_only_the_mailed_link_opens_an_account(
    owner, cast, page, settings, django_capture_on_commit_callbacks
):
    settings.IS_PRODUCTION = True
    shown, mailed = invite(owner, page, django_capture_on_commit_callbacks)
    data = {"name": "Ann", "password": PASSWORD}
    Client().post(f"/{shown}", data)
    assert not User.objects.filter(email="ann@example.test").exists()
    Client().post(f"/{mailed}", data)
    assert User.objects.filter(email="ann@example.test").exists()


def test_without_a_mail_server_the_shown_link_opens_the_account(
    owner, page, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.IS_PRODUCTION = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(page("invite"), {"email": "ann@example.test", "role": "staff"})
    assert "本服务器不发送邮件" in response.content.decode()
    shown = re.search(r'id="invitation-link">https?://[^/]+(\S+)</pre>', response.content.decode())
    Client().post(shown.group(1), {"name": "Ann", "password": PASSWORD})
    assert User.objects.filter(email="ann@example.test").exists()


def test_link_never_changes_an_account_that_exists(
    owner, cast, page, django_capture_on_commit_callbacks
):
    """Also one without a password: the inviter sees the link too."""
    User.objects.create_user(email="ann@example.test")
    _, mailed = invite(owner, page, django_capture_on_commit_callbacks)
    response = Client().post(f"/{mailed}", {"name": "x", "password": PASSWORD})
    assert response.context["must_sign_in"]
    assert not User.objects.get(email="ann@example.test").has_usable_password()


def test_invitation_is_for_its_address_only(cast, shop):
    stranger = cast.client(cast.stranger)
    url = reverse("invitation", args=[shop.invitation_token])
    assert stranger.get(url).context["is_other"]
    assert stranger.post(url).status_code == 403
    with tenant_tx(cast.tenant.id):
        assert not Membership.objects.filter(user=cast.stranger).exists()


def test_withdrawn_invitation_is_dead(owner, cast, shop, page):
    owner.post(page("invitation_revoke", shop.invitation.id))
    assert Client().get(reverse("invitation", args=[shop.invitation_token])).status_code == 404
    with tenant_tx(cast.tenant.id):
        assert Invitation.objects.get(id=shop.invitation.id).revoked_at


def test_last_owner_stays_with_a_sentence(owner, cast, page):
    with tenant_tx(cast.tenant.id):
        own = Membership.objects.get(user=cast.owner)
    response = owner.post(page("member_remove", own.id))
    assert response.status_code == 409
    with tenant_tx(cast.tenant.id):
        assert Membership.objects.filter(user=cast.owner).exists()


def test_removed_member_is_out_at_once(owner, viewer, cast, shop, page):
    owner.post(page("member_remove", shop.membership.id))
    assert viewer.get(page("home")).status_code == 404


def test_key_is_shown_once_and_works_until_revoked(owner, cast, page):
    data = {"name": "till", "scopes": ["knowledge:read"], "days": "30"}
    made = owner.post(page("key_create"), data)
    secret = made.context["secret"]
    assert "no-store" in made["Cache-Control"]
    assert secret not in owner.get(page("keys")).content.decode()
    caller = Client(headers={"Authorization": f"Bearer {secret}"})
    assert caller.get("/api/v1/knowledge-bases").status_code == 200
    with tenant_tx(cast.tenant.id):
        key = ApiKey.objects.get(name="till")
    owner.post(page("key_revoke", key.id))
    assert caller.get("/api/v1/knowledge-bases").status_code == 401


def test_business_is_renamed_and_the_log_says_so(owner, cast, page):
    owner.post(page("settings"), {"name": "Orchard & Sons", "language": "en"})
    with tenant_tx(cast.tenant.id):
        assert Tenant.objects.get(id=cast.tenant.id).name == "Orchard & Sons"
    owner.cookies["django_language"] = "en"
    log = owner.get(page("audit")).content.decode()
    assert "Business settings changed" in log
    assert "Orchard &amp; Sons" in log


def test_start_leads_home_or_lets_choose(owner, cast):
    assert owner.get("/")["Location"] == reverse("dashboard:home", args=[cast.tenant.slug])
    assert "Orchard" in owner.get("/?choose=1").content.decode()
    assert Client().get("/")["Location"].startswith("/accounts/login/")


def test_hidden_trade_leaves_the_menu_and_nothing_else(owner, cast, page):
    form = {"name": "Orchard & Sons", "language": "en", "trades": ["support"]}
    assert "/contracts/" in owner.get(page("home")).content.decode()

    owner.post(page("settings"), form)
    menu = owner.get(page("home")).content.decode()
    assert "/support/goods/" in menu
    assert "/contracts/" not in menu
    assert owner.get(reverse("contracts:contracts", args=[cast.tenant.slug])).status_code == 200

    owner.post(page("settings"), form | {"trades": ["support", "contracts"]})
    assert "/contracts/" in owner.get(page("home")).content.decode()
