"""Each kind of budget, set once and run into through the doors people use: API, dashboard, widget.

The paid call is the embedding of a question; without money for it the answer comes from words alone.
"""

import pytest
from django.test import Client

from furrow.channels.models import WidgetVisitor
from furrow.channels.services import widget_ensure, widget_update
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.redis import sync_redis
from furrow.metering.models import Hold
from furrow.tenants.models import ApiKey
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import SITE, Visitor
from tests.conversations.chats import orchard_assistant

QUESTION = "Where are unripe kiwis kept?"


@pytest.fixture
def assistant(cast, embedding_server):
    return orchard_assistant(cast.tenant.id)


@pytest.fixture
def dashboard(cast):
    client = Client()
    client.force_login(cast.owner)
    return client


@pytest.fixture
def visitor(cast, assistant):
    with tenant_tx(cast.tenant.id):
        widget = widget_ensure(assistant=assistant)
        widget_update(actor=SYSTEM, widget=widget, allowed_origins=[SITE])
    visitor = Visitor(widget, lang="en")
    assert visitor.enter().status_code == 201
    return visitor


def visitor_id(cast):
    with tenant_tx(cast.tenant.id):
        return str(WidgetVisitor.objects.order_by("created_at").first().id)


def work():
    while jobs.run_next("chat"):
        pass


@pytest.fixture
def doors(cast, api, dashboard, visitor, assistant, monkeypatch):
    """What each door does, and the scopes it must count in."""
    monkeypatch.setattr("furrow.api.routers.conversations.ANSWER_TIMEOUT_S", 0.01)
    with tenant_tx(cast.tenant.id):
        key = str(ApiKey.objects.get(name="test").id)
    asked = api.post(
        f"/api/v1/assistants/{assistant.id}/conversations", {}, content_type="application/json"
    ).json()["id"]
    page = f"/t/{cast.tenant.slug}/assistants/{assistant.id}"

    def message():
        body = {"text": QUESTION}
        path = f"/api/v1/conversations/{asked}/messages"
        answer = api.post(path, body, content_type="application/json", headers={"Prefer": "respond-async"})  # fmt: skip
        assert answer.status_code in {200, 202}, answer.content
        work()

    def search():
        found = dashboard.get(f"/t/{cast.tenant.slug}/search/", {"q": QUESTION, "mode": "hybrid"})
        assert found.status_code == 200

    def try_out():
        answer = dashboard.post(
            f"{page}/chat/", {"text": QUESTION}, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 201, answer.content
        work()

    def widget():
        # So many questions in a row would be too many for one visitor.
        sync_redis().flushdb()
        visitor.answered(QUESTION)

    return {
        "api message": (message, {"key": key, "assistant": str(assistant.id)}),
        "dashboard search": (search, {"member": str(cast.owner.pk)}),
        "dashboard chat": (
            try_out,
            {"member": str(cast.owner.pk), "assistant": str(assistant.id)},
        ),
        "widget": (
            widget,
            {"visitor": visitor_id(cast), "assistant": str(assistant.id)},
        ),
    }


def holds(payer):
    with payer.tx():
        return list(Hold.objects.order_by("-started_at"))


@pytest.mark.slow
@pytest.mark.parametrize("door", ["api message", "dashboard search", "dashboard chat", "widget"])
def test_every_door_counts_in_its_scopes_and_stops_at_each(payer, doors, embedding_server, door):
    act, scopes = doors[door]
    before = len(holds(payer))
    act()
    made = holds(payer)
    assert len(made) > before
    expected = {"tenant", *(f"{kind}:{value}" for kind, value in scopes.items())}
    assert set(made[0].scopes) == expected
    for kind, scope_id in [("tenant", ""), *((kind, "*") for kind in scopes), *scopes.items()]:
        payer.budget("0", kind, scope_id)
        asked = len(embedding_server.requests)
        act()
        assert len(embedding_server.requests) == asked, f"{kind}:{scope_id} did not stop it"
        payer.budget("1", kind, scope_id)
        act()
        assert len(embedding_server.requests) == asked + 1
    payer.check()


def test_another_members_budget_stops_nobody_else(payer, cast, doors, embedding_server):
    payer.budget("0", "member", str(cast.teammate.pk))
    act, _ = doors["dashboard search"]
    asked = len(embedding_server.requests)
    act()
    assert len(embedding_server.requests) == asked + 1


def test_widget_visitors_are_told_apart(payer, cast, doors, visitor, embedding_server):
    payer.budget("0", "visitor", visitor_id(cast))
    other = Visitor(visitor.widget, lang="en")
    assert other.enter().status_code == 201
    asked = len(embedding_server.requests)
    other.answered(QUESTION)
    assert len(embedding_server.requests) == asked + 1
