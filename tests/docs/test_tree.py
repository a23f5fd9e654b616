"""What the documentation claims about the tree, and what must not stand in it."""

import ast
import platform
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands

# Said in pieces, so that this file does not hold what it looks for.
_HOSTS = [
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("crates", "io"),
    ("tsinghua", "edu.cn"), ("aliyun", "com"), ("pytorch", "org/whl"), ("docker", "io"), ("goproxy", "io"),
]  # fmt: skip
_MACHINE = [("/work", "/main"), ("/work", "/shared"), ("/home", "/user"), ("/root", "/")]
_BINARY = {".pdf", ".png", ".jpg", ".jpeg", ".docx", ".xlsx", ".pptx", ".ico", ".woff2", ".mo"}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _pages(tracked: list[Path]) -> list[Path]:
    return [path for path in tracked if path.suffix == ".md" and "demo" not in path.parts]


def test_platform_is_a_source_root_and_no_package(root: Path) -> None:
    assert platform.system()
    assert not (root / "platform" / "__init__.py").exists()


@pytest.mark.slow
def test_no_file_names_this_machine_or_a_package_registry(tracked: list[Path]) -> None:
    banned = [".".join(pair) for pair in _HOSTS] + ["".join(pair) for pair in _MACHINE]
    found = [
        f"{path}: {word}"
        for path in tracked
        if path.suffix not in _BINARY
        for word in banned
        if word in _text(path)
    ]
    assert found == []


def test_links_between_pages_resolve(root: Path, tracked: list[Path]) -> None:
    broken = []
    for page in _pages(tracked):
        text = re.sub(r"```.*?```", "", _text(page), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            # Drawn by the browser tests, so a fresh tree may not have it yet.
            is_drawn = path.is_relative_to(root / "docs" / "images")
            if not path.exists() and not is_drawn:
                broken.append(f"{page.relative_to(root)}: {target}")
            elif anchor and anchor not in _anchors(path):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_app_of_ours_has_a_short_readme(root: Path) -> None:
    ours = [
        config for config in apps.get_app_configs() if config.name.startswith(("furrow.", "apps."))
    ]
    assert len(ours) >= 12
    for config in ours:
        readme = Path(config.path) / "README.md"
        lines = _text(readme).splitlines()
        assert 5 <= len(lines) <= 25, f"{config.name}: {len(lines)} lines"
        assert re.fullmatch(rf"# {config.label}(: .+)?", lines[0]), config.name


def test_every_command_of_ours_is_in_the_operator_guide(root: Path) -> None:
    guide = _text(root / "docs" / "operator-guide.md")
    ours = {
        name for name, app in get_commands().items() if str(app).startswith(("furrow.", "apps."))
    }
    table = guide[guide.index("## Commands") : guide.index("## People")]
    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == ours


def _reasons_in_code(root: Path) -> set[tuple[str, str]]:
    found = set()
    for folder, top in (("platform", root / "platform"), ("apps", root)):
        for path in (root / folder).rglob("*.py"):
            module = ".".join(path.relative_to(top).with_suffix("").parts)
            for node in ast.walk(ast.parse(_text(path))):
                if (
                    isinstance(node, ast.Call)
                    and ast.unparse(node.func).split(".")[-1] == "unscoped"
                ):
                    reason = node.args[0] if node.args else None
                    assert isinstance(reason, ast.Constant), (
                        f"{path}: the reason must be a plain text"
                    )
                    found.add((str(reason.value), module))
    return found


@pytest.mark.slow
def test_every_way_round_the_tenant_rule_is_listed(root: Path) -> None:
    page = _text(root / "docs" / "architecture.md")
    part = re.search(r"<!-- unscoped -->\n(.*?)<!-- /unscoped -->", page, re.DOTALL)
    assert part is not None
    listed = set(re.findall(r"^- (.*) \(`([\w.]+)`\)$", part.group(1), re.MULTILINE))
    assert listed == _reasons_in_code(root)


def test_limits_of_the_operator_guide_are_those_of_the_code(root: Path) -> None:
    from furrow.channels.models import (  # noqa: PLC0415  beside what they are compared with
        Widget,
    )
    from furrow.conversations.services import MAX_WAITING, TEXT_LENGTH  # noqa: PLC0415
    from furrow.knowledge.parsing.limits import ParseLimits  # noqa: PLC0415

    guide = _text(root / "docs" / "operator-guide.md")
    limits = ParseLimits()
    minute, day = (
        Widget._meta.get_field(name).default for name in ("messages_per_minute", "messages_per_day")
    )
    for sentence in (
        f"{limits.cpu_s} s of processor time, {limits.memory_mb} MB; for each scanned page {limits.ocr_page_s} s",
        f"{limits.max_pages:,} pages, {limits.max_chars // 1_000_000} million characters, {limits.max_ocr_pages} pages",
        f"{TEXT_LENGTH:,} characters, {MAX_WAITING} waiting",
        f"{settings.API_CALLS_PER_MINUTE:,} calls a minute",
        f"{minute} messages a minute, {day} a day",
    ):
        assert sentence in guide


def test_licence_is_the_standard_text(root: Path) -> None:
    licence = _text(root / "LICENSE")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert len(licence.splitlines()) == 202


@pytest.mark.parametrize("command", ["make run", "make test", "make check"])
def test_readme_names_commands_that_exist(root: Path, command: str) -> None:
    assert command in _text(root / "README.md")
    assert re.search(rf"^{command.split()[1]}:", _text(root / "Makefile"), re.MULTILINE)
