"""docs/api.md: every call is there, and every example runs as it stands."""

import json
import re
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from furrow.api.root import api as rest_api
from furrow.api.routers import conversations
from furrow.core import errors, jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk
from furrow.metering.invoices import invoice_close

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "platform" / "furrow" / "ops" / "demo" / "files" / "orchard" / "products.xlsx"
TRADES = tuple(
    f"/api/v1/{config.label}/"
    for config in apps.get_app_configs()
    if config.name.startswith("apps.")
)
# Which answers give the later examples their names.
NAMES = [
    (r"POST /api/v1/knowledge-bases$", "BASE"),
    (r"POST /api/v1/knowledge-bases/[^/]+/documents$", "DOCUMENT"),
    (r"POST /api/v1/assistants$", "ASSISTANT"),
    (r"POST /api/v1/assistants/[^/]+/approved-answers$", "ANSWER"),
    (r"POST /api/v1/assistants/[^/]+/golden-questions$", "GOLDEN"),
    (r"POST /api/v1/assistants/[^/]+/evaluations$", "EVALUATION"),
    (r"POST /api/v1/assistants/[^/]+/conversations$", "CONVERSATION"),
    (r"POST /api/v1/conversations/[^/]+/messages$", "TURN"),
    (r"PUT /api/v1/budgets$", "BUDGET"),
    (r"POST /api/v1/channels$", "CHANNEL"),
    (r"POST /api/v1/webhooks$", "WEBHOOK"),
    (r"POST /api/v1/webhooks/[^/]+/tests$", "DELIVERY"),
    (r"POST /api/v1/synonyms$", "SYNONYMS"),
    (r"POST /api/v1/canned-replies$", "CANNED"),
    (r"POST /api/v1/chunks/[^/]+/known-questions$", "KNOWN"),
]


class Call:
    """One curl command of the guide."""

    def __init__(self, command: str) -> None:
        words = shlex.split(command.replace("\\\n", " "))
        self.headers: dict[str, str] = {}
        self.form: dict[str, str] = {}
        self.method, self.body, self.url = "", "", ""
        rest = iter(words[1:])
        for word in rest:
            if word == "-X":
                self.method = next(rest)
            elif word == "-d":
                self.body = next(rest)
            elif word == "-F":
                name, _, value = next(rest).partition("=")
                self.form[name] = value
            elif word == "-H":
                name, _, value = next(rest).partition(":")
                self.headers[name] = value.strip()
            elif word != "-N":
                self.url = word.removeprefix("$FURROW")
        self.method = self.method or "GET"

    def send(self, client: Client, known: dict[str, str]) -> Any:
        def filled(text: str) -> str:
            return re.sub(r"\$([A-Z]+)", lambda found: known[found.group(1)], text)

        headers = {k: v for k, v in self.headers.items() if k not in {"$AUTH", "Content-Type"}}
        url = filled(self.url)
        if self.form:
            data: dict[str, Any] = {k: v for k, v in self.form.items() if k != "file"}
            data["file"] = SimpleUploadedFile("products.xlsx", SAMPLE.read_bytes())
            return client.post(url, data, headers=headers)
        return client.generic(
            self.method, url, filled(self.body), content_type="application/json", headers=headers
        )


def _calls(guide: str = GUIDE) -> list[Call]:
    blocks = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    return [
        Call(command) for block in blocks for command in re.split(r"\n(?=curl )", block.strip())
    ]


def test_every_call_of_the_api_has_an_example() -> None:
    shown = {(call.method, re.sub(r"\$[A-Z]+", "{}", call.url.split("?")[0])) for call in _calls()}
    paths = rest_api.get_openapi_schema()["paths"]
    offered = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in paths.items()
        for method in methods
        # A trade has a guide of its own, which its tests run.
        if not f"{path}/".startswith(TRADES)
    }
    assert shown == offered


def test_every_error_status_is_explained() -> None:
    kinds = [kind for kind in vars(errors).values() if getattr(kind, "status", None)]
    for kind in kinds:
        assert re.search(rf"^\| {kind.status} \| .*`{kind.code}`", GUIDE, re.MULTILINE), kind


def _first_passage(tenant_id: Any) -> str:
    """Of what was uploaded so far, read by the worker, which no process does here."""
    while jobs.run_next("ingest"):
        pass
    with tenant_tx(tenant_id):
        chunk = (
            Chunk.objects.filter(version__state="live").order_by("created_at", "ordinal").first()
        )
        return str(chunk.id) if chunk else ""


@pytest.fixture
def no_model_server(settings: Any) -> None:
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"


@pytest.mark.slow
@pytest.mark.usefixtures("no_model_server")
def test_examples_run_in_the_order_of_the_guide(api: Client, cast: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(conversations, "ANSWER_TIMEOUT_S", 0.05)
    with tenant_tx(cast.tenant.id):
        known = {"INVOICE": str(invoice_close(month=date(2026, 1, 1)).id)}
    for call in _calls():
        answer = call.send(api, known)
        line = f"{call.method} {call.url}"
        # The guide says so: only a failed document is tried again, and only a message that is not on its way.
        is_refused = call.url.endswith(("/retries", "/resends"))
        expected = {409} if is_refused else {200, 201, 202, 204}
        text = "" if answer.streaming else answer.content.decode(errors="replace")
        assert answer.status_code in expected, f"{line}: {answer.status_code} {text}"
        for pattern, name in NAMES:
            if (
                not answer.streaming
                and re.search(pattern, line.replace("$", "x"))
                and call.method in {"POST", "PUT"}
            ):
                known.setdefault(name, json.loads(text)["id"])
        if call.url.endswith("/documents") and call.method == "POST":
            known["CHUNK"] = _first_passage(cast.tenant.id)
        if call.url.endswith("/publications") and answer.status_code == 202:
            known["CHECK"] = json.loads(text)["id"]
        if "/messages" in call.url and call.method == "POST":
            # The worker's part, which no process does here.
            while jobs.run_next("chat"):
                pass
