"""Every page of the product in a real browser: in both languages, light and dark, on a desk and on a phone.

The addresses come from the URL resolver, so a new page without a case here fails.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, get_resolver, reverse

from tests.e2e.conftest import OWNER, SHOTS, Furrow, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHECKS = Path(__file__).with_name("page_checks.js").read_text()
LOOKS = {
    "zh": {"locale": "zh-CN", "color_scheme": "light", "viewport": {"width": 1280, "height": 860}},
    "en": {"locale": "en-GB", "color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
# Pages for somebody who is not signed in, with what must stand in the address.
OUTSIDE = {
    "account_login": {}, "account_signup": {}, "account_inactive": {}, "account_reset_password": {},
    "account_reset_password_done": {}, "account_reset_password_from_key_done": {},
    "account_reset_password_from_key": {"uidb36": "1", "key": "spent"},
    "account_confirm_email": {"key": "spent"}, "account_email_verification_sent": {},
    "link": {"token": "spent"},
}  # fmt: skip
ACCOUNT = {
    "start": "/?choose=1", "profile": "", "account_email": "", "account_change_password": "", "account_logout": "",
    "mfa_index": "", "mfa_activate_totp": "", "mfa_list_webauthn": "",
    "mfa_add_webauthn": "", "api-docs": "",
}  # fmt: skip
# Answers to programs, posts, downloads, and steps that one page of a sign-in leads to.
NOT_PAGES = {
    "healthz", "readyz", "metrics", "turn_events", "language", "invitation", "document_file", "golden_export",
    "costs_table", "currency", "invoice_pdf", "service_pdf", "import_sample", "channel-wechat", "channel-messages", "photo", "progress", "run_events", "export", "overview_table", "alarm_seen", "credit", "low_credit", "models", "adjust", "limit", "payment", "reverse",
    "account_set_password", "account_confirm_login_code", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn",
    "mfa_edit_webauthn", "mfa_login_webauthn",
}  # fmt: skip
LISTS = (
    "home", "bases", "assistants", "search", "answers", "gaps", "quality", "conversations", "tickets", "members",
    "keys", "audit", "costs", "budgets", "invoices", "worth", "webhooks", "inbox",
    "inbox_settings", "channels", "service",
)  # fmt: skip
# Of the person who runs the installation.
OPERATOR = (
    "overview", "tenants", "tenant", "prices", "price_create", "window_create", "machines", "comparison",
)  # fmt: skip
# What may stand in Latin letters on a Chinese page: names of formats, units and keys, which are the same in Chinese.
LATIN = re.compile(
    r"\{\w+\}|https?://\S*|\S+@\S+|\S+\.(?:pdf|md|csv|txt|docx|xlsx|pptx|jpe?g|png|json|ics)\b|/[\w/{}.<>-]+"
    r"|\b(?:knowledge|assistants|conversations|models|usage|webhooks):(?:read|write|use)\b|\b[A-Z2-7]{32}\b|text/event-stream"
    r"|\b(?:Idempotency-Key|Last-Event-ID|Accept|PIN|Furrow|PDF|Word|Excel|WPS|PowerPoint|Markdown|HTML|CSV|PNG|JPE?G|API|REST|OpenAPI|URL|JSON|AI|OCR|ID|TOTP|MB|KB|GB|XLSX|kg|ms|s|px|[A-Z]{1,3}-\d+"
    r"|EN|English|Webhook|Furrow-Signature|HMAC-SHA256|CNY|CHAT_URL|CHAT_MODEL|create_tenant|fr_key_\w*|GET|POST|PATCH|PUT|DELETE|Authorization|Bearer|Google|Authenticator|guoyuan88|Demo)\b",
    re.ASCII,
)
WORD = re.compile(r"[A-Za-z]{2,}(?:[ -][A-Za-z]+)*")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


@pytest.fixture(scope="module", params=["zh", "en"])
def look(request: Any) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def watched(browser: Any, furrow: Furrow, look: str) -> Iterator["Watched"]:
    """Signed in as the demo owner, in the look's language, colours and size."""
    context = browser.new_context(**LOOKS[look], reduced_motion="reduce")
    watched = Watched(context.new_page(), look, furrow.url)
    sign_in(watched.page, furrow, OWNER, language=look)
    yield watched
    context.close()


class Watched:
    """A browser page that remembers everything that went wrong on it."""

    def __init__(self, page: Any, look: str, url: str) -> None:
        self.page, self.look, self.url = page, look, url
        self.wrong: list[str] = []
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", self._heard)
        page.on("requestfailed", self._lost)

    def _heard(self, message: Any) -> None:
        # A page that answers 404 is reported once more by its own request; `visit` checks the status.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _lost(self, request: Any) -> None:
        # What was still on its way when the next page was asked for is aborted, and not missed.
        if "ERR_ABORTED" not in str(request.failure):
            self.wrong.append(f"request: {request.url} {request.failure}")

    def visit(self, name: str, path: str, *, status: int = 200) -> list[str]:
        """What is wrong with the page, each with its name."""
        self.wrong.clear()
        response = self.page.goto(f"{self.url}{path}", wait_until="load")
        if response.status != status:
            self.wrong.append(f"status {response.status}")
        self.shoot(name)
        seen = self.page.evaluate(CHECKS)
        found = [
            *self.wrong,
            *seen["layout"],
            *self.untranslated(seen["texts"]),
            *accessibility(self.page),
        ]
        return [f"{name}: {each}" for each in found]

    def shoot(self, name: str) -> None:
        folder = SHOTS / "pages" / self.look
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(folder / f"{name}.png"), full_page=True)

    def untranslated(self, texts: list[str]) -> list[str]:
        if self.look == "en":
            return [f"Chinese: {text}" for text in texts if CHINESE.search(text)]
        return [f"English: {text}" for text in texts if WORD.search(LATIN.sub(" ", text))]


def accessibility(page: Any) -> list[str]:
    options = {"resultTypes": ["violations"], "preload": False, "elementRef": False}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"axe {each['id']}: {node['target']} {node['html'][:120]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]  # fmt: skip


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from routes(pattern.url_patterns, path)


def business_pages(ids: dict[str, Any]) -> dict[str, str]:
    """The address of every page of a business, by name; a parameter that `rows` lacks fails."""
    found = {}
    for path, pattern in routes(get_resolver().url_patterns):
        if not path.startswith("t/<slug:tenant_slug>/") or pattern.name in NOT_PAGES:
            continue
        if pattern.callback.permissions["GET"]:  # type: ignore[attr-defined]
            # By the path itself: the pages of a trade have a namespace of their own.
            address = re.sub(r"<\w+:(\w+)>", lambda named: str(ids[named[1]]), path)
            name = str(pattern.name)
            found[name if name not in found else f"{name}-{len(found)}"] = f"/{address}"
    return found


def test_every_route_is_visited_or_known_not_to_be_a_page() -> None:
    named = {
        pattern.name
        for path, pattern in routes(get_resolver().url_patterns)
        if not path.startswith(("t/<slug:tenant_slug>/", "api/v1/<", "widget/"))
        and (not path.startswith("api/v1/") or pattern.name == "api-docs")
    }
    assert named - set(OUTSIDE) - set(ACCOUNT) - set(OPERATOR) - NOT_PAGES == {
        "account_reauthenticate"
    }


def test_every_page_of_a_business(watched: Watched, look: str, rows: Any) -> None:
    wrong = []
    for name, path in business_pages(rows[look]).items():
        wrong += watched.visit(name, path)
    for name, path in {
        "search-found": "search/?q=" + {"zh": "赔付照片", "en": "claim photos"}[look],
        "gaps-answered": "gaps/?state=answered",
        "tickets-closed": "tickets/?state=closed",
        "nothing-there": "nothing/",
    }.items():
        status = 404 if name == "nothing-there" else 200
        wrong += watched.visit(name, f"/t/{rows[look]['tenant_slug']}/{path}", status=status)
    assert not wrong, "\n".join(wrong)


def test_every_list_of_an_empty_business(watched: Watched, look: str, rows: Any) -> None:
    wrong = []
    for name in LISTS:
        path = reverse(f"dashboard:{name}", args=[f"fresh-{look}"])
        wrong += watched.visit(f"empty-{name}", path)
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_operator(watched: Watched, look: str, rows: Any) -> None:
    wrong = []
    for name in OPERATOR:
        args = [rows[look]["tenant_id"]] if name == "tenant" else []
        wrong += watched.visit(f"operator-{name}", reverse(f"operator:{name}", args=args))
    # What businesses call themselves is in their own language.
    names = ("南坡", "竹溪", "果园", "Orchard", "Willow", "律师")
    wrong = [each for each in wrong if not any(name in each for name in names)]
    assert not wrong, "\n".join(wrong)


def test_every_page_of_a_person(watched: Watched, rows: Any) -> None:
    # The owner came by a link, so there is no password to ask for again.
    wrong = watched.visit("account_reauthenticate", reverse("account_reauthenticate"), status=403)
    for name, path in ACCOUNT.items():
        wrong += watched.visit(
            name, path or reverse(name if name != "profile" else "accounts:profile")
        )
    assert not wrong, "\n".join(wrong)


def test_every_page_outside(browser: Any, furrow: Furrow, look: str) -> None:
    context = browser.new_context(**LOOKS[look], reduced_motion="reduce")
    watched = Watched(context.new_page(), look, furrow.url)
    wrong = []
    for name, kwargs in OUTSIDE.items():
        route = "accounts:link" if name == "link" else name
        wrong += watched.visit(f"out-{name}", reverse(route, kwargs=kwargs))
    context.close()
    assert not wrong, "\n".join(wrong)
