"""The message catalogue: English msgids in code and templates, one Chinese .po file, compiled without gettext."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tokenize import tokenize

import polib
from django.conf import settings
from django.utils.translation import templatize

from furrow.core import errors

LANGUAGE = "zh_Hans"
# A call of one of these carries a message; ngettext forms have the plural as second argument.
_FUNCTIONS = {"_", "_lazy", "_now", "gettext", "gettext_lazy", "gettext_noop"}
_PLURAL_FUNCTIONS = {"ngettext", "ngettext_lazy"}
# Raised with an English sentence that the page-side edge translates.
_ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.AppError)
}
# A route of the REST API: its page shows the summary.
_ROUTES = {"get", "post", "put", "patch", "delete"}
_FOLDERS = ("platform", "apps")
_UNUSED = re.compile(r"(^|/)(migrations|tests|management)/")


@dataclass(frozen=True)
class Message:
    msgid: str
    plural: str
    source: str


def catalogue_path() -> Path:
    return Path(settings.LOCALE_PATHS[0]) / LANGUAGE / "LC_MESSAGES" / "django.po"


def compile_catalogues() -> Path:
    """Writes the .mo file that Django reads, when it is missing or older than the .po; returns its path."""
    source = catalogue_path()
    target = source.with_suffix(".mo")
    if not target.is_file() or target.stat().st_mtime < source.stat().st_mtime:
        unfinished = target.with_suffix(".mo.part")
        polib.pofile(str(source)).save_as_mofile(str(unfinished))
        unfinished.replace(target)
    return target


def messages_collect(base: Path | None = None) -> list[Message]:
    """Every message of the tree, in the order of files."""
    base = base or Path(settings.BASE_DIR)
    found: dict[tuple[str, str], Message] = {}
    for message in [*_from_code(base), *_from_templates(base)]:
        found.setdefault((message.msgid, message.plural), message)
    return list(found.values())


def catalogue_merge() -> polib.POFile:
    """The catalogue with new messages added (untranslated) and vanished ones left out; not saved."""
    path = catalogue_path()
    old = polib.pofile(str(path)) if path.is_file() else polib.POFile()
    known = {entry.msgid: entry for entry in old}
    merged = polib.POFile(wrapwidth=100)
    merged.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": LANGUAGE,
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    for message in sorted(messages_collect(), key=lambda m: m.msgid):
        merged.append(_entry(message, known.get(message.msgid)))
    return merged


def _entry(message: Message, old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(msgid=message.msgid, occurrences=[(message.source, "")])
    if message.plural:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = {0: _chinese(old)}
    else:
        entry.msgstr = _chinese(old)
    if "%(" in message.msgid:
        entry.flags = ["python-format"]
    return entry


def _chinese(old: polib.POEntry | None) -> str:
    if old is None:
        return ""
    return str(old.msgstr or (old.msgstr_plural or {}).get(0, ""))


def problems(catalogue: polib.POFile) -> list[str]:
    """What keeps the catalogue from being complete: missing Chinese, or placeholders that differ."""
    found = []
    for entry in catalogue:
        text = _chinese(entry)
        if not text:
            found.append(f"no Chinese for: {entry.msgid}")
        elif _placeholders(text) - _placeholders(f"{entry.msgid} {entry.msgid_plural}"):
            found.append(f"unknown placeholder in the Chinese for: {entry.msgid}")
    return found


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def _source_files(base: Path, folders: Iterable[str], pattern: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((base / folder).rglob(pattern)):
            if not _UNUSED.search(path.relative_to(base).as_posix()):
                yield path


def _from_code(base: Path) -> Iterator[Message]:
    for path in _source_files(base, _FOLDERS, "*.py"):
        tree = ast.parse(_text(path), filename=str(path))
        source = path.relative_to(base).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _of_call(node, source)


def _of_call(call: ast.Call, source: str) -> Iterator[Message]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _ROUTES:
        yield from _of_route(call, source)
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    texts = [
        arg.value
        for arg in call.args[:2]
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and arg.value
    ]
    if name in _PLURAL_FUNCTIONS and len(texts) == 2:
        yield Message(texts[0], texts[1], source)
    elif texts and (name in _FUNCTIONS or (name in _ERRORS and texts[0][0].isupper())):
        yield Message(texts[0], "", source)


def _of_route(call: ast.Call, source: str) -> Iterator[Message]:
    for keyword in call.keywords:
        if keyword.arg == "summary" and isinstance(keyword.value, ast.Constant):
            yield Message(str(keyword.value.value), "", source)


def _from_templates(base: Path) -> Iterator[Message]:
    folders = ["templates", *_FOLDERS]
    for pattern in ("*.html", "*.txt"):
        for path in _source_files(base, folders, pattern):
            if "templates" in path.parts:
                source = path.relative_to(base).as_posix()
                code = templatize(_text(path), origin=source)
                yield from _of_templatized(code, source)


# `templatize` turns a template into code-like text with calls of gettext and ngettext; the rest is filler
# that no parser accepts, so each call is cut out and parsed alone.
_CALL = re.compile(r"\b(?:_|gettext|ngettext)\((?=\s*u?[\"'])")


def _of_templatized(code: str, source: str) -> Iterator[Message]:
    for match in _CALL.finditer(code):
        call = ast.parse(_balanced(code[match.start() :]), mode="eval").body
        if isinstance(call, ast.Call):
            yield from _of_call(call, source)


def _balanced(code: str) -> str:
    """The text up to the parenthesis that closes the first one. A plural's last argument is a bare name."""
    depth = 0
    lines = code.splitlines(keepends=True)
    for token in tokenize(BytesIO(code.encode()).readline):
        depth += {"(": 1, ")": -1}.get(token.string, 0)
        if token.string == ")" and depth == 0:
            row, column = token.end
            return "".join(lines[: row - 1]) + lines[row - 1][:column]
    raise ValueError("a message call is never closed")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
