"""The whole product as `manage.py up` starts it, in a folder of its own, and a browser in front of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "screenshots"
SEED = Path(__file__).with_name("seed_pages.py")
OWNER = "owner@demo.furrow.test"


@dataclass
class Furrow:
    """A running installation."""

    url: str
    shop_url: str
    sign_in_link: str
    env: dict[str, str]
    seconds_to_ready: float
    pid: int

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def free_port() -> int:
    """The first of three free ports in a row."""
    for base in range(18200, 19200, 10):
        try:
            for port in range(base, base + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports")


@pytest.fixture(scope="session")
def furrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furrow]:
    """Started once a session, with the demo. Its own var folder; nothing of the suite's database."""
    var = tmp_path_factory.mktemp("furrow")
    port = free_port()
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "FURROW_ENV",
                        "EMBEDDINGS_API_KEY", "DJANGO_SETTINGS_MODULE"}
    }  # fmt: skip
    env |= {"FURROW_VAR_DIR": str(var), "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    log = (var / "up.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        text = _wait_until_running(process, var / "up.log")
        link = re.search(r"(http\S+/accounts/link/\S+)", text)
        assert link is not None
        yield Furrow(
            url=link.group(1).split("/accounts/")[0],
            shop_url=f"http://127.0.0.1:{port + 2}",
            sign_in_link=link.group(1),
            env=env,
            seconds_to_ready=time.monotonic() - started,
            pid=process.pid,
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        log.close()


@pytest.fixture(scope="session")
def rows(furrow: Furrow) -> Any:
    """A business in Chinese and one in English with a row of every kind: their ids, by language."""
    printed = furrow.manage("shell", "--no-imports", "-c", SEED.read_text())
    return json.loads(printed.splitlines()[-1])


def sign_in(page: Any, furrow: Furrow, email: str, *, language: str) -> None:
    """By a one-time link, for "zh" or "en"."""
    page.goto(furrow.manage("sign_in_link", email).strip())
    page.locator("main button.primary").click()
    page.wait_for_url(lambda url: "/link/" not in url)
    code = {"zh": "zh-hans", "en": "en"}[language]
    page.context.add_cookies([{"name": "django_language", "value": code, "url": furrow.url}])


def _wait_until_running(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        text = log.read_text()
        if "Ctrl-C ends everything" in text:
            return text
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"manage.py up did not get ready:\n{log.read_text()}")


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine; make test installs one")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only for browser tests

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield instance
        instance.close()


def print_pdf(browser: Any, html: str, path: Path) -> Path:
    """A real PDF, printed by the browser."""
    page = browser.new_page()
    page.set_content(html)
    page.pdf(path=str(path), format="A4")
    page.close()
    return path
