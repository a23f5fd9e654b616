"""Who gets in: listed sites only, with an unspoilt token, for as long as the owner allows."""

import base64
import json
import time
from typing import Any

import pytest
from django.core import signing

from furrow.assistants.services import assistant_create, assistant_delete
from furrow.channels import sessions
from furrow.channels.models import Widget, WidgetVisitor
from furrow.channels.services import widget_ensure, widget_update
from furrow.channels.sessions import Session, session_of, session_token
from furrow.core.context import tenant_tx, unscoped
from furrow.tenants.models import Tenant
from furrow.tenants.services import SYSTEM, api_key_create
from tests.channels.conftest import SITE, Visitor, code_of, run_jobs

DENIED = (403, "origin_not_allowed")
ENDED = (401, "session_expired")


def session_made(shop: Any, visitor: Visitor, **changes: Any) -> str:
    """A correctly signed token that says something else."""
    claims = session_of(visitor.token)
    fields = {**vars(claims), **changes}
    return session_token(Session(**fields))[0]


def state(visitor: Visitor, **options: Any) -> tuple[int, str]:
    return code_of(visitor.call("GET", "conversation", **options))


def test_session_says_how_the_widget_looks(shop):
    response = Visitor(shop.widget).enter()
    config = response.json()["config"]
    assert response.status_code == 201
    assert config["name"] == "Helper"
    assert config["greeting"] == "您好，果园客服。"
    assert config["suggestions"] == ["坏果怎么赔？"]
    assert config["hours_note"] == "微信 orchard · 9:00-18:00"
    assert config["human_available"] is False


def test_session_speaks_the_visitors_language(shop):
    config = Visitor(shop.widget, lang="en").enter().json()["config"]
    assert config["greeting"] == "Hello from the orchard."
    assert config["suggestions"] == ["Is shipping free?"]


def test_owners_look_goes_before_the_assistants(shop):
    shop.change(theme={"title": "果园", "greeting_zh": "来啦", "color": "#112233"})
    config = Visitor(shop.widget).enter().json()["config"]
    assert (config["name"], config["greeting"], config["color"]) == ("果园", "来啦", "#112233")


def test_new_widget_works_nowhere(cast, shop):
    with tenant_tx(cast.tenant.id):
        assistant = assistant_create(actor=SYSTEM, name="New")
        widget = widget_ensure(assistant=assistant)
    assert code_of(Visitor(widget).enter()) == DENIED


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil.test",
        "https://evil.test",
        "http://shop.example",
        "https://shop.example:8443",
        "https://www.shop.example",
        "https://SHOP.example",
        "https://shop.example/",
        "null",
        "",
        "file://",
        "*",
    ],
)
def test_only_the_exact_site_gets_in(shop, origin):
    assert code_of(Visitor(shop.widget, origin=origin).enter()) == DENIED
    with tenant_tx(shop.tenant.id):
        assert not WidgetVisitor.objects.exists()


def test_unknown_key_is_refused_in_the_same_words(shop):
    unknown = Visitor(Widget(public_key="nothing")).enter()
    denied = Visitor(shop.widget, origin="https://evil.test").enter()
    for response in (unknown, denied):
        body = response.json()["error"]
        assert body.pop("request_id")
        assert body == {
            "code": "origin_not_allowed",
            "message": "本网站尚未启用该助手。",
            "details": {},
        }


def test_refusals_are_worded_in_the_visitors_language(shop):
    response = Visitor(shop.widget, origin="https://evil.test", lang="en").enter()
    assert response.json()["error"]["message"] == "The assistant is not enabled for this website."
    visitor = Visitor(shop.widget, lang="en")
    visitor.enter()
    assert visitor.ask("").json()["error"]["message"] == "Write a question first."


def test_unpublished_assistant_says_so(shop):
    with tenant_tx(shop.tenant.id):
        assistant = assistant_create(actor=SYSTEM, name="Draft")
        widget = widget_ensure(assistant=assistant)
        widget_update(actor=SYSTEM, widget=widget, allowed_origins=[SITE])
    assert code_of(Visitor(widget).enter()) == (409, "not_published")


def test_visitor_token_is_random_and_stored_hashed(shop, visitor):
    with tenant_tx(shop.tenant.id):
        stored = WidgetVisitor.objects.get()
    assert len(base64.urlsafe_b64decode(visitor.known_as + "=")) == 32
    assert visitor.known_as not in (stored.token_hash, str(stored.id))
    assert stored.origin == SITE


def test_visitor_token_of_another_site_or_widget_opens_nothing_old(shop, rival, visitor):
    visitor.ask()
    shop.change(allowed_origins=[SITE, "https://two.example"])
    for other in (
        Visitor(shop.widget, origin="https://two.example", known_as=visitor.known_as),
        Visitor(rival.widget, known_as=visitor.known_as),
    ):
        stolen = other.known_as
        assert other.enter().json()["conversation_id"] is None
        assert other.known_as != stolen


def test_disabled_widget_ends_its_sessions_at_once(shop, visitor):
    shop.change(is_enabled=False)
    assert state(visitor) == code_of(visitor.ask()) == code_of(visitor.enter()) == DENIED


def test_site_taken_off_the_list_ends_its_sessions_at_once(shop, visitor):
    shop.change(allowed_origins=["https://two.example"])
    assert state(visitor) == code_of(visitor.ask()) == code_of(visitor.enter()) == DENIED


def test_deleted_assistant_ends_its_sessions_at_once(shop, visitor):
    with tenant_tx(shop.tenant.id):
        assistant_delete(actor=SYSTEM, assistant=shop.assistant)
    assert state(visitor) == code_of(visitor.enter()) == DENIED


def test_suspended_business_ends_its_sessions_at_once(shop, visitor):
    with unscoped("suspend a tenant in a test"):
        Tenant.objects.filter(id=shop.tenant.id).update(is_suspended=True)
    assert state(visitor) == code_of(visitor.enter()) == DENIED


def test_forgotten_visitor_has_no_session(shop, visitor):
    with tenant_tx(shop.tenant.id):
        WidgetVisitor.objects.all().delete()
    assert state(visitor) == ENDED


def test_session_lasts_fifteen_minutes(visitor, monkeypatch):
    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 14 * 60)
    assert state(visitor) == (404, "not_found")
    monkeypatch.setattr(signing.time, "time", lambda: now + 15 * 60 + 2)
    assert state(visitor) == ENDED


def test_token_works_only_on_its_own_site(shop, visitor):
    shop.change(allowed_origins=[SITE, "https://two.example"])
    visitor.origin = "https://two.example"
    assert state(visitor) == DENIED


def test_call_without_a_site_is_refused(visitor):
    visitor.origin = ""
    assert state(visitor) == code_of(visitor.ask()) == DENIED


def test_page_on_our_own_host_is_known_by_the_browsers_word(shop):
    shop.change(allowed_origins=["http://localhost"])
    own = Visitor(shop.widget, origin="http://localhost")
    own.client.defaults["HTTP_HOST"] = "localhost"
    own.enter()
    own.origin = ""
    assert state(own, Sec_Fetch_Site="same-origin") == (404, "not_found")
    assert state(own, Sec_Fetch_Site="cross-site") == state(own) == DENIED


def forged(token: str) -> dict[str, str]:
    """Ways to say something with a token that we did not sign."""
    body, stamp, signature = token.removeprefix("fr_session_").rsplit(":", 2)
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["visitor_id"] = claims["widget_id"]
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    flipped = signature[:-1] + ("A" if signature[-1] != "A" else "B")
    return {
        "no token": "",
        "other claims": f"fr_session_{other}:{stamp}:{signature}",
        "no signature": f"fr_session_{body}:{stamp}:",
        "cut signature": f"fr_session_{body}:{stamp}:{signature[:-4]}",
        "flipped bit": f"fr_session_{body}:{stamp}:{flipped}",
        "moved stamp": f"fr_session_{body}:zzzzzz:{signature}",
        "no stamp": f"fr_session_{body}:{signature}",
        "unsigned JWT": f"fr_session_{header}.{other}.",
        "bare JWT": f"{header}.{other}.",
        "no prefix": token.removeprefix("fr_session_"),
        "API prefix": token.replace("fr_session_", "fr_key_"),
        "twice": token + token,
        "spaces": token + " x",
        "long": "fr_session_" + "a" * 5000,
        "not ASCII": "fr_session_ä:b:c",
        "other salt": "fr_session_" + signing.dumps(claims, salt="sessions"),
        "no salt": "fr_session_" + signing.dumps(claims),
        "compressed bomb": "fr_session_." + "A" * 600 + ":a:b",
    }


def test_token_we_did_not_sign_opens_nothing(visitor):
    for way, token in forged(visitor.token).items():
        assert state(visitor, token=token) == ENDED, way
        sent = visitor.call("POST", "messages", {"text": "x"}, token=token)
        assert code_of(sent) == ENDED, way


def test_token_of_another_kind_opens_nothing(visitor):
    claims = {
        "kind": "invitation",
        **{k: str(v) for k, v in vars(session_of(visitor.token)).items()},
    }
    token = sessions.PREFIX + signing.dumps(claims, salt=sessions._SALT)
    assert state(visitor, token=token) == ENDED


def test_signed_mixture_of_two_tenants_opens_nothing(shop, rival, visitor):
    stranger = Visitor(rival.widget)
    stranger.enter()
    theirs = session_of(stranger.token)
    assert state(visitor, token=session_made(shop, visitor, visitor_id=theirs.visitor_id)) == ENDED
    assert state(visitor, token=session_made(shop, visitor, widget_id=theirs.widget_id)) == DENIED
    assert state(visitor, token=session_made(shop, visitor, tenant_id=theirs.tenant_id)) == DENIED


def test_session_never_opens_the_api_nor_a_key_the_widget(shop, visitor):
    with tenant_tx(shop.tenant.id):
        _, key = api_key_create(actor=SYSTEM, name="key", scopes=["assistants:read"])
    own, foreign = (
        visitor.client.get("/api/v1/assistants", headers={"Authorization": f"Bearer {token}"})
        for token in (key, visitor.token)
    )
    assert (own.status_code, foreign.status_code) == (200, 401)
    assert state(visitor, token=key) == ENDED


def test_signed_in_owner_has_no_rights_here(cast, shop, visitor):
    visitor.client = cast.client(cast.owner)
    assert state(visitor, token="") == ENDED


def test_calls_set_no_cookie_and_are_never_cached(visitor):
    visitor.answered()
    run_jobs()
    for response in (visitor.enter(), visitor.call("GET", "conversation"), visitor.ask()):
        assert not response.cookies
        assert response["Cache-Control"] == "no-store"
        assert response["Access-Control-Allow-Origin"] == SITE
        assert "Access-Control-Allow-Credentials" not in response
        assert "Origin" in response["Vary"]
