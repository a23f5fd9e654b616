"""The recipes, followed to the letter."""

import os
import re
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from furrow.assistants import ladder
from furrow.assistants.config import AssistantConfig
from furrow.assistants.models import DEFAULT_RUNGS, Assistant
from furrow.core.context import tenant_context
from furrow.core.extensions import Extensions, extensions
from furrow.knowledge.parsing import formats, sniff
from furrow.knowledge.parsing.limits import ParseJob
from furrow.ops import embedded

ROOT = Path(__file__).resolve().parents[2]


def _recipe(name: str) -> str:
    return (ROOT / "docs" / "recipes" / f"{name}.md").read_text(encoding="utf-8")


def _files(text: str) -> dict[str, str]:
    """Path and content of each block whose first line names its file."""
    named = re.findall(r"```\w+\n(?:# |<!-- )(\S+\.\w+)(?: -->)?\n(.*?)```", text, re.DOTALL)
    return dict(named)


def _run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(source, "recipe", "exec"), names)  # noqa: S102  our own page
    return names


def test_new_reader_reads_the_sample(tmp_path: Path) -> None:
    recipe = _recipe("add-a-file-type")
    (source,) = _files(recipe).values()
    sample = re.search(r"```text\n(.*?)```", recipe, re.DOTALL)
    assert sample is not None
    path = tmp_path / "stored"
    path.write_text(sample.group(1), encoding="utf-8")
    document = _run(source)["read"](path, ParseJob(file_name="video.srt"))
    shown = [(block.kind, block.text) for block in document.blocks]
    assert shown == [
        ("paragraph", "The oranges are picked in the morning."),
        ("paragraph", "We ship on the same day."),
    ]
    assert all(document.text[b.start : b.end] == b.text for b in document.blocks)
    for _, text in shown:
        assert text in recipe


def test_file_type_recipe_names_what_exists() -> None:
    recipe = _recipe("add-a-file-type")
    for name in ("FileKind", "_ENDINGS", "_BY_NAME", "_BY_TYPE", "_kind_of"):
        assert hasattr(sniff, name)
        assert f"`{name}`" in recipe
    assert hasattr(formats, "_READERS")
    for module in re.findall(r"`(furrow\.[\w.]+)`", recipe):
        assert (ROOT / "platform" / Path(*module.split("."))).with_suffix(".py").is_file() or (
            ROOT / "platform" / Path(*module.split("."))
        ).is_dir(), module


def _config() -> AssistantConfig:
    assistant = Assistant(id=uuid.uuid4(), name="Stand", template="shop")
    data = {
        "name": assistant.name,
        "template": assistant.template,
        "instructions": "",
        "rungs": ["shipping_fee"],
        "knowledge_base_ids": [],
        "settings": {},
    }
    return AssistantConfig.of_json(assistant.id, data)


def test_new_rung_answers_and_passes_with_a_reason(monkeypatch: Any, cast: Any) -> None:
    (source,) = _files(_recipe("add-a-rung")).values()
    rung = _run(source)["ShippingFeeRung"]()
    monkeypatch.setitem(extensions.rungs, rung.name, rung)
    stages: list[str] = []

    def ask(text: str) -> ladder.Answer:
        question = ladder.Question(text, "zh", uuid.uuid4())
        with tenant_context(cast.tenant.id):
            return ladder.climb(question, _config(), lambda piece: None, stages.append)

    fee = ask("寄到西藏运费多少")
    assert (fee.rung, fee.text) == ("shipping_fee", "寄到西藏每箱运费 30 元。")
    assert stages == ["writing"]
    unknown = ask("寄到江西和广东运费多少")
    assert unknown.rung == "human"
    reasons = {line["rung"]: line["reason"] for line in unknown.trace}
    assert reasons["shipping_fee"] == "no_single_place"


def test_rung_recipe_lists_the_default_rungs() -> None:
    recipe = _recipe("add-a-rung")
    listed = re.search(r"`DEFAULT_RUNGS` in `furrow.assistants.models`: ([^.]*)\.", recipe)
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed.group(1)) == DEFAULT_RUNGS


def test_app_recipe_names_every_extension_point() -> None:
    recipe = _recipe("add-an-app")
    for point in Extensions.__dataclass_fields__:
        assert f"`{point}`" in recipe or f'"{point}"' in recipe, point


_SETTINGS = """
    import apps
    apps.__path__.append({folder!r})
    from config.settings import *
    INSTALLED_APPS = [*INSTALLED_APPS, "apps.stand"]
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
_SCRIPT = """
    import django
    django.setup()
    from django.core.management import call_command
    call_command("makemigrations", "stand", "-n", "opening_days", verbosity=0)
    call_command("prepare_database", verbosity=0)

    import uuid
    from django.test import Client
    from django.utils import timezone
    from apps.stand.facts import OpeningHours
    from furrow.accounts.services import user_ensure
    from furrow.assistants.ladder import Question
    from furrow.core.context import tenant_context, tenant_tx
    from furrow.tenants.services import SYSTEM, api_key_create, tenant_create

    owner = user_ensure(email="owner@example.test", is_verified=True)
    tenants = [tenant_create(name=name, owner=owner, slug=name) for name in ("stand", "rival")]
    clients = []
    for tenant in tenants:
        with tenant_tx(tenant.id):
            _, secret = api_key_create(actor=SYSTEM, name="k", scopes=["knowledge:read", "knowledge:write"])
        clients.append(Client(headers={"Authorization": f"Bearer {secret}"}))
    day = {"weekday": timezone.localdate().weekday(), "opens": "08:30", "closes": "17:00"}
    made = clients[0].post("/api/v1/stand/days", day, content_type="application/json")
    assert made.status_code == 201, made.content
    assert len(clients[0].get("/api/v1/stand/days").json()["items"]) == 1
    assert clients[1].get("/api/v1/stand/days").json()["items"] == []

    question = Question("今天几点开门", "zh", uuid.uuid4())
    with tenant_context(tenants[0].id):
        result = OpeningHours().try_answer(question, None, None)
    assert result.text == "今天 08:30-17:00 营业。", result
    with tenant_context(tenants[1].id):
        assert OpeningHours().try_answer(question, None, None).reason == "no_hours_today"

    browser = Client()
    browser.force_login(owner)
    page = browser.get("/t/stand/stand/")
    assert page.status_code == 200, page.content
    assert "08:30-17:00" in page.content.decode()
    assert "/t/stand/stand/" in browser.get("/t/stand/").content.decode()
    print("the stand is open")
"""


@pytest.mark.slow
@pytest.mark.usefixtures("django_db_setup", "db")
def test_new_app_works_as_the_recipe_says(tmp_path: Path, redis_server: str) -> None:
    for name, content in _files(_recipe("add-an-app")).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "apps" / "stand" / "__init__.py").touch()
    (tmp_path / "apps" / "stand" / "migrations").mkdir()
    (tmp_path / "apps" / "stand" / "migrations" / "__init__.py").touch()
    settings = textwrap.dedent(_SETTINGS).format(folder=str(tmp_path / "apps"))
    (tmp_path / "stand_settings.py").write_text(settings)

    name = f"test_recipe_{os.getpid()}"
    superuser = os.environ["DATABASE_OWNER_URL"].replace(_database_of(), "/postgres?")
    embedded.database_ensure(superuser, name)
    owner_url = superuser.replace("/postgres?", f"/{name}?")
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(_SCRIPT)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "platform"), str(ROOT)]),
                "DJANGO_SETTINGS_MODULE": "stand_settings",
                "DATABASE_OWNER_URL": owner_url,
                "DATABASE_URL": owner_url.replace("//postgres@", "//furrow_app@"),
                "REDIS_URL": redis_server,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        embedded_drop(superuser, name)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the stand is open" in done.stdout


def _database_of() -> str:
    found = re.search(r"/[^/?]+\?", os.environ["DATABASE_OWNER_URL"].split("@")[1])
    assert found is not None
    return found.group(0)


def embedded_drop(superuser: str, name: str) -> None:
    import psycopg  # noqa: PLC0415  only here

    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
