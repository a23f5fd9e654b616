"""What an owner may set on a widget, and how sites are spelled."""

import pytest

from furrow.channels.models import Widget
from furrow.channels.origins import origin_of
from furrow.channels.services import widget_ensure, widget_update
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import SITE


def saved(shop, **changes):
    shop.change(**changes)
    with tenant_tx(shop.tenant.id):
        return Widget.objects.get(id=shop.widget.id)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://Shop.Example/ ", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://果园.中国", "https://xn--fcs110b.xn--fiqs8s"),
        ("https://ｓｈｏｐ.example", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:8002", "http://127.0.0.1:8002"),
        ("http://192.168.1.20", "http://192.168.1.20"),
        ("http://shop.test:80", "http://shop.test"),
    ],
)
def test_site_is_spelled_as_browsers_do(typed, stored):
    assert origin_of(typed) == stored


def test_sites_are_stored_once_in_one_spelling(shop):
    sites = ["https://Shop.Example/", "https://shop.example:443", "https://果园.中国"]
    stored = ["https://shop.example", "https://xn--fcs110b.xn--fiqs8s"]
    assert saved(shop, allowed_origins=sites).allowed_origins == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "shop.example",
        "*",
        "https://*",
        "https://*.shop.example",
        "https://shop.example/path",
        "https://shop.example?x=1",
        "https://shop.example#x",
        "https://user@shop.example",
        "https://:pw@shop.example",
        "https://@shop.example",
        "https://shop.example:99999",
        "https://shop.example:0",
        "https://shop.example:x",
        "https://shop example",
        "https://shop.example\\@evil.test",
        "https://shop.exa\nmple",
        "https://-shop.example",
        "https://shop..example",
        "https://straße.example",
        "https://",
        "http://shop.example",
        "http://8.8.8.8",
        "http://nottest",
        "javascript://shop.example",
        "file:///x",
        "null",
    ],
)
def test_what_is_no_site_is_refused(typed):
    with pytest.raises(Invalid):
        origin_of(typed)


def test_refused_site_leaves_the_list_as_it_was(shop):
    with pytest.raises(Invalid):
        shop.change(allowed_origins=["https://fine.example", "https://*"])
    assert saved(shop).allowed_origins == [SITE]


def test_list_of_sites_has_an_end(shop):
    sites = [f"https://s{n}.example" for n in range(21)]
    assert len(saved(shop, allowed_origins=sites[:20]).allowed_origins) == 20
    with pytest.raises(Invalid):
        shop.change(allowed_origins=sites)


def test_only_what_is_given_changes(shop):
    shop.change(messages_per_minute=3, theme={"color": "#abcdef"})
    widget = saved(shop, is_enabled=False)
    assert (widget.messages_per_minute, widget.messages_per_day) == (3, 200)
    assert (widget.allowed_origins, widget.theme) == ([SITE], {"color": "#abcdef"})
    assert saved(shop, allowed_origins=[]).allowed_origins == []


@pytest.mark.parametrize(
    "theme",
    [
        {"color": "red"},
        {"color": "#12345"},
        {"color": "#2f6b3c\n"},
        {"color": "#2f6b3c;background:url(//x)"},
        {"position": "middle"},
        {"title": "x" * 61},
        {"title": 1},
        {"greeting_zh": "a\x00b"},
        {"language": "fr"},
        {"script": "alert(1)"},
    ],
)
def test_look_is_checked(shop, theme):
    with pytest.raises(Invalid):
        shop.change(theme=theme)


@pytest.mark.parametrize(
    "limit",
    [
        {"messages_per_minute": 0},
        {"messages_per_minute": 121},
        {"messages_per_day": 0},
        {"messages_per_day": 10_001},
    ],
)
def test_limits_are_checked(shop, limit):
    with pytest.raises(Invalid):
        shop.change(**limit)


def test_assistant_has_one_widget_and_changes_are_logged(shop):
    with tenant_tx(shop.tenant.id):
        assert widget_ensure(assistant=shop.assistant).id == shop.widget.id
        widget_update(actor=SYSTEM, widget=shop.widget, is_enabled=False)
        entry = AuditEntry.objects.filter(action="widget.updated").latest("created_at")
    assert entry.data == {"fields": ["is_enabled"]}
