"""Limits hold exactly, also when a hundred requests come at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from furrow.channels import limits, sessions
from furrow.channels.sessions import session_check
from furrow.conversations.models import Turn
from furrow.core.context import tenant_tx
from furrow.core.errors import LimitReached
from tests.channels.conftest import Visitor, code_of

LIMITED = (429, "limit_reached")


def turn_count(shop: Any) -> int:
    with tenant_tx(shop.tenant.id):
        return Turn.objects.count()


def test_visitor_may_send_so_many_messages_a_minute(shop, visitor):
    shop.change(messages_per_minute=2)
    assert [visitor.ask(f"问题 {n}").status_code for n in range(3)] == [202, 202, 429]
    response = visitor.ask("再问")
    assert code_of(response) == LIMITED
    assert response["Retry-After"] == "60"
    assert turn_count(shop) == 2


def test_visitor_may_send_so_many_messages_a_day(shop, visitor):
    shop.change(messages_per_minute=10, messages_per_day=3)
    assert [visitor.ask(f"问题 {n}").status_code for n in range(4)] == [202, 202, 202, 429]
    assert int(visitor.ask("再问")["Retry-After"]) == 86400


def test_resent_message_is_not_counted_again(shop, visitor):
    shop.change(messages_per_minute=1)
    first = visitor.ask(key="k1")
    assert [visitor.ask(key="k1").json() for _ in range(3)] == [first.json()] * 3
    assert code_of(visitor.ask(key="k2")) == LIMITED


def test_refused_message_may_be_sent_again_under_its_key(shop, visitor):
    shop.change(messages_per_minute=1)
    visitor.ask()
    assert code_of(visitor.ask(key="k2")) == LIMITED
    shop.change(messages_per_minute=5)
    assert visitor.ask(key="k2").status_code == 202


def test_refused_text_is_not_counted(shop, visitor):
    shop.change(messages_per_minute=1)
    visitor.ask("")
    assert visitor.ask().status_code == 202


def test_one_visitors_limit_is_not_anothers(shop, visitor):
    shop.change(messages_per_minute=1)
    visitor.ask()
    other = Visitor(shop.widget)
    other.enter()
    assert other.ask().status_code == 202


def test_widget_as_a_whole_has_a_limit(shop, rival, visitor, monkeypatch):
    monkeypatch.setattr(limits, "WIDGET_MESSAGES_PER_MINUTE", 1)
    visitor.ask()
    other, stranger = Visitor(shop.widget), Visitor(rival.widget)
    other.enter()
    stranger.enter()
    assert code_of(other.ask()) == LIMITED
    assert stranger.ask().status_code == 202


def test_one_address_may_open_so_many_sessions(shop, monkeypatch):
    monkeypatch.setattr(sessions, "SESSIONS_PER_HOUR", 2)
    assert [Visitor(shop.widget).enter().status_code for _ in range(3)] == [201, 201, 429]
    elsewhere = Visitor(shop.widget)
    elsewhere.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    assert elsewhere.enter().status_code == 201


def test_calls_and_handoffs_have_limits(shop, visitor, monkeypatch):
    monkeypatch.setattr(limits, "HANDOFFS_PER_HOUR", 1)
    assert visitor.call("POST", "handoff", {"contact": "a"}).status_code == 201
    assert code_of(visitor.call("POST", "handoff", {"contact": "b"})) == LIMITED
    monkeypatch.setattr(limits, "CALLS_PER_MINUTE", 1)
    visitor.call("GET", "conversation")
    assert code_of(visitor.call("GET", "conversation")) == LIMITED


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "unix:", True),
    ],
)
def test_address_is_counted_as_a_household(one, other, is_same):
    assert (limits.address_bucket(one) == limits.address_bucket(other)) is is_same


def test_a_hundred_messages_at_once_pass_exactly_as_many_as_allowed(shop, visitor):
    shop.change(messages_per_minute=7)
    visit = session_check(token=visitor.token, origin=visitor.origin)

    def count(_: int) -> bool:
        try:
            limits.message_count(visit)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(count, range(100))) == 7
