"""Reads the process environment strictly: a malformed value stops the start with its name.

`var/runtime.env`, written by `manage.py up`, fills in what the environment does not say, so that other
commands find the embedded services.
"""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class SettingError(Exception):
    """A setting is missing or cannot be read; the message names it."""


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


VAR_DIR = Path(os.environ.get("FURROW_VAR_DIR") or BASE_DIR / "var").resolve()
_RUNTIME = _read_env_file(VAR_DIR / "runtime.env")


def env_str(name: str, default: str = "") -> str:
    value = os.environ.get(name)
    return value if value is not None and value != "" else _RUNTIME.get(name, default)


def env_str_or_file(name: str, default: str = "") -> str:
    """NAME, else the content of the file named by NAME_FILE: for values that are or carry a password."""
    if value := env_str(name):
        return value
    if file := env_str(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE cannot be read: {error}") from None
    return default


def env_bool(name: str, default: bool = False) -> bool:
    value = env_str(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise SettingError(f"{name} must be true or false, not {value!r}")
    return default


def env_int(name: str, default: int, *, minimum: int | None = None) -> int:
    value = env_str(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {value!r}") from None
    if minimum is not None and number < minimum:
        raise SettingError(f"{name} must be at least {minimum}, not {number}")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env_str(name, default).split(",") if part.strip()]


def env_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    value = env_str(name, default)
    if value not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def env_secret(name: str, *, required: bool) -> str:
    """A secret from NAME, from the file named by NAME_FILE, or generated once under var/secrets.

    With `required` (production) a missing secret stops the start: nothing has a known default.
    """
    if value := env_str_or_file(name):
        return value
    if required:
        raise SettingError(f"{name} or {name}_FILE must be set in production")
    return _generated_secret(VAR_DIR / "secrets" / name.lower())


def _generated_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()
