"""The embedded installation: where it lies, what it runs, and the addresses other commands read."""

import os
import re
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from furrow.core import security
from furrow.core.addresses import database
from furrow.core.errors import AppError
from furrow.ops import embedded
from furrow.ops.supervisor import Service

ROOT = Path(settings.BASE_DIR)
VAR = Path(settings.VAR_DIR)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
# Django's checks would load every page and the API, which no question needs; `manage.py check` makes them. The other
# worker's children write mails with links to pages: those share what their parent has loaded.
_OWN_ENV = {"worker-chat": {"CELERY_SKIP_CHECKS": "1"}}
_MODEL_KEY_FILE = VAR / "secrets" / "embeddings_api_key"


class CannotStart(AppError):
    """The start cannot go on; the message says why and what to do."""

    code = "cannot_start"


@dataclass(frozen=True)
class Ports:
    web: int
    inference: int
    demo_shop: int

    @classmethod
    def from_web(cls, web: int) -> "Ports":
        return cls(web, web + 1, web + 2)


def port_is_free(port: int) -> bool:
    """Under both of localhost's addresses: browsers try the IPv6 one first and would meet another program there."""
    families = [(socket.AF_INET, "127.0.0.1")]
    if _has_ipv6():
        families.append((socket.AF_INET6, "::1"))
    return all(_can_bind(family, address, port) for family, address in families)


def _has_ipv6() -> bool:
    return socket.has_ipv6 and _can_bind(socket.AF_INET6, "::1", 0)


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError:
        return False
    return True


def check_ports(ports: Ports) -> None:
    for port in (ports.web, ports.inference, ports.demo_shop):
        if not port_is_free(port):
            raise CannotStart(
                f"Port {port} is taken by another program. Stop it, or choose other ports: "
                f"make run PORT={ports.web + 100}"
            )


def check_model() -> None:
    """What can be known of the chosen chat model before anything is started."""
    name = settings.FURROW_MODEL
    if not name:
        return
    if os.environ.get("CHAT_URL"):
        raise CannotStart(
            "FURROW_MODEL starts a chat model here and CHAT_URL names another: set only one of them."
        )
    if Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise CannotStart(
                f"FURROW_MODEL: {name} holds no config.json, so it is no folder of a model."
            )
    elif not _HUB_ID.fullmatch(name):
        raise CannotStart(
            f"FURROW_MODEL: {name} is neither a folder nor a name like OWNER/MODEL on a hub."
        )


def model_name() -> str:
    """What pages, bills and the API call it: a folder's own name, where it lies is nobody's business."""
    name = str(settings.FURROW_MODEL)
    return Path(name).resolve().name if Path(name).is_dir() else name


def is_embedded_database() -> bool:
    return not os.environ.get("DATABASE_URL")


def is_embedded_redis() -> bool:
    return not os.environ.get("REDIS_URL")


def start_database() -> dict[str, str]:
    """Starts PostgreSQL if it is ours to start; returns the two addresses, app role and owner."""
    if not is_embedded_database():
        return {
            "DATABASE_URL": settings.DATABASE_URL,
            "DATABASE_OWNER_URL": settings.DATABASE_OWNER_URL,
        }
    superuser = embedded.postgres_start(VAR / "postgres")
    embedded.database_ensure(superuser, "furrow")
    owner = superuser.replace("/postgres?", "/furrow?")
    return {
        "DATABASE_URL": owner.replace("//postgres@", "//furrow_app@"),
        "DATABASE_OWNER_URL": owner,
    }


def prepare_database(addresses: dict[str, str]) -> None:
    """Roles, migrations, row-level security; refuses to go on when the app role could bypass it."""
    for alias, name in (("default", "DATABASE_URL"), ("owner", "DATABASE_OWNER_URL")):
        connections[alias].settings_dict.update(
            database(addresses[name], is_owner=alias == "owner")
        )
    app = connections["default"].settings_dict
    security.ensure_roles(
        connections["owner"], app_role=str(app["USER"]), password=str(app["PASSWORD"] or "")
    )
    call_command("migrate", database="owner", verbosity=0)
    security.verify(connections["default"])
    connections.close_all()


def redis_address() -> str:
    return settings.REDIS_URL if not is_embedded_redis() else f"unix://{VAR / 'redis.sock'}"


def model_addresses(ports: Ports) -> dict[str, str]:
    """Where the children find the models: in our own server, or where the environment says."""
    own = f"http://127.0.0.1:{ports.inference}/v1"
    values = {"EMBEDDINGS_URL": os.environ.get("EMBEDDINGS_URL") or own}
    if not settings.FURROW_MODEL:
        return values
    return values | {
        "CHAT_URL": own,
        "CHAT_MODEL": model_name(),
        "CHAT_DIALECT": "own",
        "CHAT_API_KEY_FILE": str(_MODEL_KEY_FILE),
    }


def start_limit_s(service: str) -> float:
    """How long a service may take to be ready. A chat model may first have to be fetched."""
    return 3600.0 if service == "inference" and settings.FURROW_MODEL else 90.0


def write_runtime(values: dict[str, str]) -> None:
    """Leaves the addresses for other `manage.py` commands in var/runtime.env, readable by us alone."""
    path = VAR / "runtime.env"
    path.touch(mode=0o600, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def _http_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _commands(ports: Ports, *, is_demo: bool) -> dict[str, list[str]]:
    """By name, in starting order."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "config", "--quiet"]
    commands: dict[str, list[str]] = {}
    if is_embedded_redis():
        commands["redis"] = embedded.redis_command(VAR / "redis.sock", VAR / "redis")
        (VAR / "redis").mkdir(parents=True, exist_ok=True)
    commands["inference"] = _inference_command(python, ports)
    commands["web"] = [
        *(python, "-m", "gunicorn", "config.asgi:application"),
        *("--worker-class", "uvicorn_worker.UvicornWorker", "--workers", "2"),
        *("--bind", f"{settings.WEB_HOST}:{ports.web}", "--graceful-timeout", "8"),
        *("--timeout", "60", "--keep-alive", "30", "--preload"),
    ]
    commands["worker-chat"] = [
        *celery,
        *("worker", "--queues", "chat", "--pool", "threads", "--concurrency", "24"),
        *("--hostname", "chat@%h", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]
    commands["worker-ingest"] = [
        *celery,
        *("worker", "--queues", "ingest,notify", "--pool", "prefork", "--concurrency", "3"),
        *("--hostname", "ingest@%h", "--without-gossip", "--without-mingle"),
        *("--max-tasks-per-child", "200", "--loglevel", "WARNING"),
    ]
    commands["beat"] = [
        *(python, "-m", "celery", "-A", "config.beat", "--quiet"),
        *("beat", "--schedule", str(VAR / "beat-schedule"), "--pidfile", ""),
        *("--loglevel", "WARNING"),
    ]
    if is_demo:
        commands["demo-shop"] = [
            *(python, "-m", "furrow.ops.demo_site", "--port", str(ports.demo_shop)),
            *("--furrow-url", settings.PUBLIC_URL, "--key-file", str(VAR / "demo-widget-key")),
        ]
    return commands


def services(ports: Ports, env: dict[str, str], *, is_demo: bool) -> list[Service]:
    """The processes of one machine, in starting order."""
    ready = {
        "redis": (VAR / "redis.sock").exists,
        "inference": lambda: _http_ok(f"http://127.0.0.1:{ports.inference}/readyz"),
        "web": lambda: _http_ok(f"http://127.0.0.1:{ports.web}/healthz"),
        "demo-shop": lambda: _http_ok(f"http://127.0.0.1:{ports.demo_shop}/"),
    }
    return [
        Service(
            name=name,
            command=command,
            env=env | _OWN_ENV.get(name, {}),
            log_path=VAR / "log" / f"{name}.log",
            cwd=ROOT,
            ready=ready.get(name, lambda: True),
        )
        for name, command in _commands(ports, is_demo=is_demo).items()
    ]


def _inference_command(python: str, ports: Ports) -> list[str]:
    command = [
        *(python, "-m", "inference", "serve", "--port", str(ports.inference)),
        *("--receipts-file", str(VAR / "receipts" / "inference.jsonl")),
        *("--api-key-file", str(_MODEL_KEY_FILE)),
        *("--device", settings.FURROW_DEVICE),
    ]
    if settings.FURROW_MODEL:
        command += ["--model", settings.FURROW_MODEL, "--model-name", model_name()]
    return command


def child_environment(values: dict[str, str]) -> dict[str, str]:
    """What the children see: our own environment, the addresses, both source roots."""
    paths = [str(ROOT / "platform"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **values,
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # Few arenas: glibc otherwise keeps one for each thread and memory never comes back.
        "MALLOC_ARENA_MAX": "2",
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "0"),
    }
