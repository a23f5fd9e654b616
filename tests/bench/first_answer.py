"""From a clone to the first cited answer, and what it costs: `python tests/bench/first_answer.py [PORT]`.

Clones this checkout's HEAD into a temporary folder, runs `make run` there as a newcomer would, makes a business
with `create_tenant`, uploads a text over the API, asks, and prints a Markdown table: seconds, memory of all
processes together, seconds of the second start. Needs the network for the packages.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
TEXT = "# 营业时间\n\n茶社每天早上九点开门，晚上八点四十五分打烊。"
QUESTION, EXPECTED = "茶社几点打烊？", "八点四十五分"


def clean_environment() -> dict[str, str]:
    ours = {
        "DATABASE_URL",
        "REDIS_URL",
        "FURROW_VAR_DIR",
        "FURROW_ENV",
        "VIRTUAL_ENV",
        "PYTHONPATH",
    }
    return {name: value for name, value in os.environ.items() if name not in ours}


def start(folder: Path, port: int) -> "tuple[subprocess.Popen[bytes], float]":
    """Runs `make run` until it says that it is running; returns the process and the seconds."""
    began = time.monotonic()
    log = folder / "run.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=folder, env=clean_environment(), stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    while "Ctrl-C ends everything" not in log.read_text(errors="replace"):
        if process.poll() is not None:
            raise SystemExit(log.read_text(errors="replace")[-2000:])
        time.sleep(0.1)
    return process, time.monotonic() - began


def stop(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)


def memory_mb(folder: Path) -> tuple[float, float]:
    """Of everything that was started from this folder, PostgreSQL with it: with shared pages counted once, and once
    a process.
    """
    once = each = 0
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = " ".join(process.info["cmdline"] or [])
        if str(folder) in words or str(process.info["cwd"] or "").startswith(str(folder)):
            try:
                sizes = process.memory_full_info()
            except psutil.NoSuchProcess:
                continue
            once, each = once + sizes.pss, each + sizes.rss
    return once / 1024 / 1024, each / 1024 / 1024


def first_answer(folder: Path, port: int) -> str:
    """Asks as an integrator would; returns the quoted sentence."""
    made = subprocess.run(
        [folder / ".venv/bin/python", "manage.py", "create_tenant", "Tea", "--email", "tea@example.test",
         "--api-key"],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    key = re.search(r"fr_key_\S+", made)
    if key is None:
        raise SystemExit(made)
    headers = {"Authorization": f"Bearer {key.group()}"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=70
    ) as api:
        base = api.post("/knowledge-bases", json={"name": "Tea"}).json()["id"]
        body = {"title": "营业时间", "text": TEXT}
        document = api.post(f"/knowledge-bases/{base}/documents", json=body).json()["id"]
        while api.get(f"/documents/{document}").json()["status"] != "ready":
            time.sleep(0.1)
        body = {"name": "Tea", "knowledge_base_ids": [base]}
        assistant = api.post("/assistants", json=body).json()["id"]
        api.post(f"/assistants/{assistant}/publications", json={}).raise_for_status()
        talk = api.post(f"/assistants/{assistant}/conversations", json={}).json()["id"]
        answer = api.post(f"/conversations/{talk}/messages", json={"text": QUESTION}).json()
    return str(answer["citations"][0]["quote"])


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 18600
    with tempfile.TemporaryDirectory(prefix="furrow-clone-") as temporary:
        folder = Path(temporary) / "furrow"
        Path(temporary).chmod(0o755)
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        process, ready_s = start(folder, port)
        try:
            quote = first_answer(folder, port)
            answer_s = time.monotonic() - began
            once_mb, each_mb = memory_mb(folder)
        finally:
            stop(process)
        process, second_s = start(folder, port)
        stop(process)
    if EXPECTED not in quote:
        raise SystemExit(f"The answer was not cited: {quote}")
    rows = [
        "| clone to running | clone to first cited answer | memory, shared pages once | once a process | second start |",
        "|--:|--:|--:|--:|--:|",
        f"| {ready_s:.0f} s | {answer_s:.0f} s | {once_mb:.0f} MB | {each_mb:.0f} MB | {second_s:.1f} s |",
    ]
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
