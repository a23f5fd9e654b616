"""What a browser needs to be told before and around the calls, and the scripts themselves."""

import gzip

import pytest
from django.db import connection
from django.test import Client

from furrow.channels import assets
from tests.channels.conftest import SITE, Visitor, code_of

SCRIPTS = assets.FOLDER


def test_preflight_allows_methods_and_headers_to_any_site_and_no_credentials():
    response = Client().options(
        "/widget/api/messages",
        headers={"Origin": "https://any.example", "Access-Control-Request-Method": "POST"},
    )
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "https://any.example"
    assert response["Access-Control-Allow-Methods"] == "GET, POST"
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"):
        assert name in response["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response
    assert not response.content


@pytest.mark.parametrize("origin", ["null", "*", "javascript:1", "https://a.example, https://b"])
def test_what_is_no_site_is_never_echoed(origin):
    response = Client().options("/widget/api/messages", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response


def test_widget_can_read_why_it_was_refused(visitor):
    visitor.token = "x"
    response = visitor.ask()
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "Retry-After" in response["Access-Control-Expose-Headers"]
    assert response["WWW-Authenticate"] == "Bearer"


def test_forged_form_post_is_not_read(visitor):
    response = visitor.client.generic(
        "POST",
        "/widget/api/messages",
        "text=x",
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": SITE, "Authorization": f"Bearer {visitor.token}"},
    )
    assert code_of(response) == (422, "invalid")


def test_body_without_a_told_length_is_not_read(visitor):
    response = visitor.client.generic(
        "POST",
        "/widget/api/messages",
        "",
        content_type="application/json",
        headers={"Origin": SITE, "Authorization": f"Bearer {visitor.token}"},
    )
    assert code_of(response) == (422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "conversation", (405, "method_not_allowed")),
        ("GET", "messages", (405, "method_not_allowed")),
        ("DELETE", "messages", (405, "method_not_allowed")),
        ("GET", "nothing/here", (404, "not_found")),
    ],
)
def test_wrong_method_and_address_answer_in_the_house_shape(visitor, method, path, expected):
    response = visitor.call(method, path)
    assert code_of(response) == expected
    assert response.json()["error"]["request_id"] == response["X-Request-Id"]


def test_crash_of_ours_is_json_and_says_nothing_of_itself(visitor, monkeypatch):
    def crash(**kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("furrow.conversations.services.turn_create", crash)
    response = visitor.ask()
    assert code_of(response) == (500, "internal")
    assert b"secret" not in response.content
    assert response["Access-Control-Allow-Origin"] == SITE


def out_of_time(*args: object, **kwargs: object) -> None:
    """What a caller gets who waits for a lock, or for a connection, too long: an error of the database itself."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 5")
        cursor.execute("SELECT pg_sleep(1)")


def test_busy_database_is_no_crash_and_the_same_call_may_come_again(visitor, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("furrow.conversations.services.turn_create", out_of_time)
        response = visitor.ask(key="k1")
    assert code_of(response) == (503, "busy")
    assert 1 < int(response["Retry-After"]) < 10
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "稍候" in response.json()["error"]["message"]
    assert visitor.ask(key="k1").status_code == 202


def test_visitor_who_finds_no_connection_is_asked_to_come_again(shop, monkeypatch):
    monkeypatch.setattr("furrow.channels.sessions._visitor_ensure", out_of_time)
    assert code_of(Visitor(shop.widget).enter()) == (503, "busy")


@pytest.mark.parametrize("name", ["v1.js", "app.js", "app/chat.js", "app/style.js"])
def test_scripts_are_served_to_any_site(name):
    response = Client().get(f"/widget/{name}")
    assert response.content == (SCRIPTS / name).read_bytes()
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies


def test_scripts_are_compressed_for_those_who_can_read_it():
    response = Client().get("/widget/app.js", headers={"Accept-Encoding": "gzip, br"})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == (SCRIPTS / "app.js").read_bytes()
    assert "Accept-Encoding" in response["Vary"]


def test_unchanged_script_is_not_sent_again():
    first = Client().get("/widget/v1.js")
    again = Client().get("/widget/v1.js", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "public, max-age=300"


def test_app_of_the_loaders_version_is_kept_for_ever_and_no_other():
    version = assets._version()
    assert version
    for name in ("app.js", "app/chat.js"):
        assert "immutable" in Client().get(f"/widget/{name}?v={version}")["Cache-Control"]
        assert Client().get(f"/widget/{name}?v=old")["Cache-Control"] == "public, max-age=300"
    loader = Client().get(f"/widget/v1.js?v={version}")
    assert loader["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "name", ["app/none.js", "../models.py", "app/../../models.py", "app/%2e%2e/v1.js", "v1.js.map"]
)
def test_nothing_but_the_scripts_is_served(name):
    assert Client().get(f"/widget/{name}").status_code == 404
