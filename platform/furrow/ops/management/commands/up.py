"""`manage.py up`: the whole of Furrow on this machine, in the foreground."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.accounts.services import sign_in_link_create
from furrow.core.errors import AppError
from furrow.dashboard.translations import compile_catalogues
from furrow.ops import runtime
from furrow.ops.demo_loader import demo_load, demo_owner, demo_progress
from furrow.ops.keeper import DatabaseKeeper
from furrow.ops.supervisor import Supervisor


class Command(BaseCommand):
    help = "Start everything on this machine; Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.WEB_PORT)
        parser.add_argument("--no-demo", action="store_true", help="start without the demo tenants")
        parser.add_argument(
            "--exit-when-ready", action="store_true", help="stop again once everything answers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _only_one():
                self._run(runtime.Ports.from_web(options["port"]), options)
        except AppError as error:
            raise CommandError(str(error.message)) from None

    def _run(self, ports: runtime.Ports, options: dict[str, Any]) -> None:
        is_demo = not options["no_demo"]
        runtime.check_ports(ports)
        runtime.check_model()
        with self._step("Starting the database"):
            values = runtime.start_database()
        with self._step("Preparing the tables"):
            runtime.prepare_database(values)
            compile_catalogues()
            call_command("collectstatic", interactive=False, verbosity=0)
        # By name, not by number: browsers make passkeys for names only.
        public_url = os.environ.get("PUBLIC_URL") or f"http://localhost:{ports.web}"
        settings.PUBLIC_URL = public_url
        settings.REDIS_URL = runtime.redis_address()
        values |= {
            "REDIS_URL": settings.REDIS_URL,
            "PUBLIC_URL": public_url,
            **runtime.model_addresses(ports),
        }
        runtime.write_runtime(values)
        env = runtime.child_environment({**values, "DATABASE_POOL_SIZE": "8"})
        supervisor = Supervisor(runtime.services(ports, env, is_demo=is_demo), report=self._say)
        if runtime.is_embedded_database():
            supervisor.keep = DatabaseKeeper(runtime.VAR / "postgres", report=self._say)
        # Both, also where a shell started us in the background and had interrupts ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            self._start(supervisor)
            if is_demo:
                self._load_demo(ports)
            self._greet(ports, is_demo=is_demo)
            if not options["exit_when_ready"]:
                supervisor.watch()
        except KeyboardInterrupt:
            self._say("")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with self._step("Stopping"):
                supervisor.stop()

    def _start(self, supervisor: Supervisor) -> None:
        with self._step("Starting the web server, the workers and the model server"):
            supervisor.start()
            for service in supervisor.services:
                if not supervisor.wait_ready(service.name, runtime.start_limit_s(service.name)):
                    raise runtime.CannotStart(
                        f"{service.name} did not start. The end of {service.log_path}:\n"
                        f"{service.last_lines()}"
                    )

    def _load_demo(self, ports: runtime.Ports) -> None:
        with self._step("Loading the two demo businesses"):
            demo_load(demo_site_origin=f"http://127.0.0.1:{ports.demo_shop}")
            started = time.monotonic()
            while time.monotonic() - started < 240:
                done, total = demo_progress()
                if sys.stdout.isatty():
                    self.stdout.write(f"\r  reading documents {done}/{total}", ending="")
                    self.stdout.flush()
                if done == total:
                    break
                time.sleep(0.3)

    def _greet(self, ports: runtime.Ports, *, is_demo: bool) -> None:
        owner = demo_owner()
        token = sign_in_link_create(user=owner)
        lines = [
            "",
            "Furrow is running.",
            f"  Dashboard (one-time sign-in link): {settings.PUBLIC_URL}/accounts/link/{token}/",
        ]
        if is_demo:
            lines.append(
                f"  Demo shop with the widget:         http://127.0.0.1:{ports.demo_shop}/"
            )
        if settings.FURROW_MODEL:
            lines += [
                f"  Chat model:                        {runtime.model_name()}",
                "  It writes for no assistant before you allow it on the assistant's page.",
            ]
        lines += [
            f"  API description:                   {settings.PUBLIC_URL}/api/v1/docs",
            f"  Logs:                              {runtime.VAR / 'log'}",
            "  Another sign-in link: manage.py sign_in_link EMAIL. Ctrl-C ends everything.",
        ]
        self._say("\n".join(lines))

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        self.stdout.write(f"· {what} …", ending="\n")
        self.stdout.flush()
        yield
        lead = "\r" if sys.stdout.isatty() else ""
        self._say(f"{lead}✓ {what} ({time.monotonic() - started:.1f} s)")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@contextmanager
def _only_one() -> Iterator[None]:
    runtime.VAR.mkdir(parents=True, exist_ok=True)
    with (runtime.VAR / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise runtime.CannotStart(
                "Furrow is already running from this folder. Stop it with Ctrl-C where it runs, "
                "or use another checkout."
            ) from None
        yield
