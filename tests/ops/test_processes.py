"""What each process loads: memory that one does not need is missing on a small server."""

import json
import subprocess
import sys

import pytest
from celery import current_app
from django.conf import settings

from furrow.ops import runtime
from furrow.ops.runtime import Ports

_BEAT = """
import json, sys
from unittest.mock import patch
from config.beat import app
from celery.beat import Scheduler
app.loader.init_worker()
app.finalize()
scheduler = Scheduler(app)
loaded = sorted({name for name in sys.modules if name.startswith(("furrow.", "apps.", "numpy", "ninja"))})
with patch.object(app, "send_task", side_effect=lambda name, *_, **__: name):
    sent = sorted(filter(None, (scheduler.apply_async(e) for e in scheduler.schedule.values())))
print(json.dumps({"sent": sent, "loaded": loaded, "broker": app.conf.broker_url}))
"""
_WEB = """
import json, os, threading
before = set(os.listdir("/proc/self/fd"))
import config.asgi
from django.db import connections
fds = {f: os.readlink(f"/proc/self/fd/{f}") for f in set(os.listdir("/proc/self/fd")) - before
       if os.path.exists(f"/proc/self/fd/{f}")}
print(json.dumps({"fds": fds, "threads": threading.active_count(),
                  "connections": [c.alias for c in connections.all(initialized_only=True) if c.connection]}))
"""
_WORKER = """
import json, sys
from config import celery_app
celery_app.loader.import_default_modules()
print(json.dumps(sorted({"ninja", "django.test", "langchain_core", "torch", "reportlab"} & set(sys.modules))))
"""


def _said(program: str, **env: str):
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR,
        env=runtime.child_environment(env), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_clock_sends_every_regular_job_and_loads_none_of_them():
    said = _said(_BEAT)
    wanted = sorted(entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values())
    assert [name for name in said["sent"] if name.startswith("furrow.")] == wanted
    assert said["loaded"] == [
        "furrow.core",
        "furrow.core.addresses",
        "furrow.core.context",
        "furrow.core.logs",
    ]
    assert said["broker"]


def test_regular_jobs_are_tasks_that_need_no_options_of_their_own():
    """The clock knows only their names: a queue written at the task would not be kept."""
    current_app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        task = current_app.tasks[entry["task"]]
        assert (getattr(task, "queue", None), task.expires, task.priority) == (None, None, None)


@pytest.mark.slow
def test_web_opens_nothing_before_its_workers_are_forked():
    assert _said(_WEB) == {"fds": {}, "threads": 1, "connections": []}


@pytest.mark.slow
def test_chat_worker_does_not_load_what_only_the_web_needs():
    services = runtime.services(Ports.from_web(9000), {}, is_demo=False)
    env = next(service.env for service in services if service.name == "worker-chat")
    assert _said(_WORKER, **env) == []
