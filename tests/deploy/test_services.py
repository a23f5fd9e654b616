"""systemd units, the nginx site and the small scripts, checked with the real programs where they are installed."""

import http.server
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

PROCESSES = ("web", "worker-chat", "worker-ingest", "beat", "inference")


def _unit(deploy: Path, process: str) -> str:
    return (deploy / "systemd" / f"furrow-{process}.service").read_text(encoding="utf-8")


@pytest.mark.parametrize("process", PROCESSES)
def test_unit_is_hardened_and_comes_back(deploy: Path, process: str) -> None:
    unit = _unit(deploy, process)
    for line in (
        "Restart=always",
        "NoNewPrivileges=true",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
    ):
        assert f"\n{line}\n" in unit
    assert re.search(r"^User=furrow", unit, re.MULTILINE)
    assert re.search(r"^MemoryMax=", unit, re.MULTILINE)


def test_target_wants_every_process(deploy: Path) -> None:
    target = (deploy / "systemd" / "furrow.target").read_text(encoding="utf-8")
    for process in PROCESSES:
        assert f"furrow-{process}.service" in target


def test_model_server_sees_nothing_of_the_platforms_settings(deploy: Path) -> None:
    unit = _unit(deploy, "inference")
    assert "EnvironmentFile" not in unit
    assert "User=furrow-inference" in unit


def _program(command: str) -> list[str]:
    """The words after the program, so that both ways of installing can be compared."""
    return [
        w for w in command.replace("%%", "%").split() if "/" not in w and not w.startswith("127")
    ]


def _started(deploy: Path, process: str) -> str:
    unit = _unit(deploy, process).replace("\\\n", " ")
    found = re.search(r"ExecStart=(.*?)\n[A-Z]", unit, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("process", ["worker-chat", "worker-ingest"])
def test_systemd_and_compose_start_the_workers_alike(deploy: Path, process: str) -> None:
    compose = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"][process]["command"][1:] == _program(_started(deploy, process))


def test_web_is_loaded_before_it_is_forked_wherever_it_runs(deploy: Path) -> None:
    assert _started(deploy, "web").split()[-1] == "--preload"
    # Loaded code stays loaded: a reload would look like an upgrade and be none.
    assert "ExecReload" not in _unit(deploy, "web")
    image = (deploy / "Dockerfile.web").read_text(encoding="utf-8")
    assert '"--preload"]' in image.rsplit("CMD", 1)[1]


def test_chat_worker_loads_no_pages_wherever_it_runs(deploy: Path) -> None:
    compose = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["worker-chat"]["environment"]["CELERY_SKIP_CHECKS"] == "1"
    assert re.search(r"^Environment=.*CELERY_SKIP_CHECKS=1", _unit(deploy, "worker-chat"), re.M)


def test_clock_loads_no_apps_wherever_it_runs(deploy: Path) -> None:
    compose = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))
    assert "--app=config.beat" in compose["services"]["beat"]["command"]
    assert "--app=config.beat" in _started(deploy, "beat").split()


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
def test_systemd_accepts_the_units(deploy: Path) -> None:
    files = sorted((deploy / "systemd").iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, files)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    # The programs are where the guide puts them, not here.
    missing = re.compile(r"Command /opt/furrow/\S+ is not executable: No such file or directory")
    complaints = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "furrow" in line and not missing.search(line)
    ]
    assert complaints == []


def test_site_passes_live_answers_unbuffered(deploy: Path) -> None:
    site = (deploy / "nginx" / "furrow.conf").read_text(encoding="utf-8")
    live = re.search(r"location ~ (\S+) \{([^}]*proxy_buffering off;[^}]*)\}", site)
    assert live is not None
    streams = (
        "/api/v1/conversations/3f/messages",
        "/v1/chat/completions",
        "/api/v1/turns/3f/events",
        "/widget/api/turns/3f/events",
        "/t/my-shop/turns/3f/events/",
    )
    for path in streams:
        assert re.search(live.group(1), path), path
    assert "proxy_read_timeout 1h;" in live.group(2)
    types = re.search(r"gzip_types ([^;]*);", site)
    assert types is not None
    assert "text/event-stream" not in types.group(1).split()


def test_site_replaces_forwarded_headers_and_hides_the_figures(deploy: Path) -> None:
    site = (deploy / "nginx" / "furrow.conf").read_text(encoding="utf-8")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in site
    assert re.search(r"location = /metrics \{\s*return 404;", site)


@pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None,
    reason="nginx and openssl are not both installed",
)
def test_nginx_accepts_the_site(deploy: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    site = (deploy / "nginx" / "furrow.conf").read_text(encoding="utf-8")
    site = re.sub(r"ssl_certificate .*;", f"ssl_certificate {tmp_path}/cert.pem;", site)
    site = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {tmp_path}/key.pem;", site)
    site = re.sub(r"listen (\[::\]:)?(80|443)\b", r"listen \g<1>1\g<2>", site)
    (tmp_path / "site.conf").write_text(site)
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {folders} include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(main)
    done = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", ["make-secrets", "furrow-manage"])
def test_script_is_plain_shell(deploy: Path, script: str) -> None:
    assert (deploy / script).stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(deploy / script)], check=True)


def test_secrets_are_made_once_and_agree(deploy: Path, tmp_path: Path) -> None:
    shutil.copy(deploy / "make-secrets", tmp_path)
    subprocess.run([str(tmp_path / "make-secrets")], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run([str(tmp_path / "make-secrets")], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o077 == 0
    assert first["postgres_password"] in first["database_owner_url"]
    assert first["redis_password"] in first["redis_url"]
    assert len(set(first.values())) == len(first)
    assert all(len(value) >= 64 for value in first.values())


@pytest.fixture
def picky_server() -> Iterator[str]:
    """Answers its health address only under its public name, as production does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Host"] == "assistants.example.com" else 400)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/healthz"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("public_url", "status"),
    [("https://assistants.example.com", 0), ("https://other.example.com", 1)],
)
def test_health_check_asks_under_the_public_name(
    deploy: Path, picky_server: str, public_url: str, status: int
) -> None:
    command = [sys.executable, str(deploy / "healthcheck.py"), picky_server]
    done = subprocess.run(command, env={"PUBLIC_URL": public_url}, check=False)
    assert done.returncode == status


def test_health_check_fails_when_nothing_answers(deploy: Path) -> None:
    command = [sys.executable, str(deploy / "healthcheck.py"), "http://127.0.0.1:9/healthz"]
    assert subprocess.run(command, check=False).returncode == 1
