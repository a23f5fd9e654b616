"""Real files, made by the libraries that people's programs resemble."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PrintPage = Callable[..., Path]


def _chromium(folder: Path, html: str, *options: str) -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed, so no page can be printed")
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}",
            *options,
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture
def print_pdf(tmp_path: Path) -> PrintPage:
    """Prints HTML to a PDF with a text layer."""

    def printed(html: str, name: str = "printed.pdf") -> Path:
        target = tmp_path / name
        _chromium(tmp_path, html, "--no-pdf-header-footer", f"--print-to-pdf={target}")
        return target

    return printed


@pytest.fixture
def take_picture(tmp_path: Path) -> PrintPage:
    """A picture of HTML as a screen shows it."""

    def taken(html: str, width: int = 900, height: int = 420) -> Path:
        target = tmp_path / "picture.png"
        _chromium(tmp_path, html, f"--window-size={width},{height}", f"--screenshot={target}")
        return target

    return taken
