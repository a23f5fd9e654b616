"""The LiteLLM proxy beside ours: installed from PyPI in an environment of its own, with PostgreSQL, virtual keys
and budgets on.

Its database client needs Prisma's query engine, a binary that its installer downloads from a place of its own.
Where that cannot be reached, `litellm_engine/query-engine` runs the same engine as WebAssembly from the npm
package; its processor time is shown beside the proxy's and not added to it.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ.get("FURROW_BENCH_DIR") or HERE.parent.parent / "var" / "bench")
VENV, ENGINE = HOME / "litellm", HOME / "engine"
LITELLM, PRISMA = "litellm[proxy]==1.108.7", "5.17.0"
MASTER = "sk-bench-master"
NODE_PACKAGES = [
    *(f"@prisma/client@{PRISMA}", f"@prisma/adapter-pg@{PRISMA}", f"prisma@{PRISMA}"),
    *(f"@prisma/driver-adapter-utils@{PRISMA}", "pg@8", "graphql@16"),
]


@dataclass
class Rival:
    port: int
    key: str
    process: subprocess.Popen[bytes]


def site() -> Path:
    return next((VENV / "lib").glob("python3*")) / "site-packages"


def install() -> None:
    """Once a machine; later runs find it."""
    HOME.mkdir(parents=True, exist_ok=True)
    if not (VENV / "bin" / "litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", LITELLM, "prisma==0.15.0"]
        subprocess.run(pip, check=True)
    if not (ENGINE / "node_modules" / "@prisma" / "client").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is needed for LiteLLM's database client.")
        ENGINE.mkdir(parents=True, exist_ok=True)
        (ENGINE / "package.json").write_text('{"private": true}')
        options = ["install", "--silent", "--ignore-scripts"]
        subprocess.run([npm, *options, *NODE_PACKAGES], cwd=ENGINE, check=True)
    if not (site() / "prisma" / "client.py").exists():
        schema = (site() / "litellm" / "proxy" / "schema.prisma").read_text()
        native = "\n".join(line for line in schema.splitlines() if "binaryTargets" not in line)
        (HOME / "schema.prisma").write_text(native)
        generate = [
            str(VENV / "bin" / "prisma"),
            "generate",
            "--schema",
            str(HOME / "schema.prisma"),
        ]
        subprocess.run(generate, env=environment(""), check=True, stdout=subprocess.DEVNULL)


def environment(database_url: str) -> dict[str, str]:
    engine = str(HERE / "litellm_engine" / "query-engine")
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "DJANGO"))}
    return {
        **inherited,
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "DATABASE_URL": database_url,
        "PRISMA_QUERY_ENGINE_BINARY": engine,
        "PRISMA_SCHEMA_ENGINE_BINARY": engine,
        "PRISMA_CLI_QUERY_ENGINE_TYPE": "binary",
        "PRISMA_HOME_DIR": str(HOME),
        "BENCH_NODE_MODULES": str(ENGINE / "node_modules"),
        "npm_config_ignore_scripts": "true",
        "DISABLE_SCHEMA_UPDATE": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
    }


def database_prepare(superuser_url: str, name: str) -> str:
    """A fresh database with LiteLLM's own migrations; its address."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    address = superuser_url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(address, autocommit=True) as connection:
        folder = site() / "litellm_proxy_extras" / "migrations"
        for file in sorted(folder.glob("*/migration.sql")):
            connection.execute(file.read_bytes())
    return address.replace("@/", "@localhost/") + "&connection_limit=10"


@contextlib.contextmanager
def running(database_url: str, *, port: int, engine_port: int) -> Iterator[Rival]:
    config = HOME / "config.json"
    config.write_text(json.dumps(configuration(engine_port)))
    command = [str(VENV / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1"]
    with (HOME / "litellm.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(database_url), stdout=log, stderr=log)
        try:
            key = _key_when_ready(port)
            yield Rival(port, key, process)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def configuration(engine_port: int) -> dict[str, Any]:
    """JSON is YAML. As its documentation advises for production."""
    return {
        "model_list": [
            {
                "model_name": "mock-chat",
                "litellm_params": {
                    "model": "openai/mock-chat",
                    "api_base": f"http://127.0.0.1:{engine_port}/v1",
                    "api_key": "mock",
                    "input_cost_per_token": 0.000002,
                    "output_cost_per_token": 0.000008,
                },
            }
        ],
        "general_settings": {
            "master_key": MASTER,
            "proxy_batch_write_at": 10,
            "disable_error_logs": True,
        },
        "litellm_settings": {"request_timeout": 60, "set_verbose": False},
    }


def call(port: int, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {MASTER}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
        return json.loads(answer.read())


def _key_when_ready(port: int) -> str:
    deadline = time.monotonic() + 180
    while True:
        try:
            made = call(port, "/key/generate", {"models": ["mock-chat"], "max_budget": 100_000})
            return str(made["key"])
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"LiteLLM did not start; see {HOME / 'litellm.log'}") from None
            time.sleep(1)
