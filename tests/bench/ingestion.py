"""How fast documents are read, and how fairly: `python tests/bench/ingestion.py [rate] [fair] [--copies N]`.

`rate` uploads copies of a PDF, a DOCX, an XLSX and a scan of the demo, each with a name of its own, and reads them one
after the other: pages a minute and where the time goes. A format without pages counts 1,800 characters as one.
`fair` lets 50 tenants upload four files each, one tenant after the other, and reads them in two threads: when each
tenant is done, against the fair share. First come, first served would end near twice the median. Both in a database that is thrown
away, with the platform's own model server beside it for the vectors; `--without-server` leaves them out.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "platform" / "furrow" / "ops" / "demo" / "files" / "orchard"
FORMATS = {
    "PDF": "shipping_and_claims.pdf",
    "DOCX": "storage_guide.docx",
    "XLSX": "products.xlsx",
    "scan": "price_sheet_scan.pdf",
}
STAGES = ("parsing", "cleaning", "embedding")
CHARS_A_PAGE = 1_800
TENANTS, FILES_EACH, WORKERS = 50, 4, 2


def upload(tenant: Any, base: Any, content: bytes, name: str) -> Any:
    from furrow.core.context import tenant_tx  # noqa: PLC0415  needs the settings
    from furrow.knowledge.services.documents import document_upload  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM  # noqa: PLC0415

    with tenant_tx(tenant.id):
        return document_upload(
            actor=SYSTEM, knowledge_base=base, file=io.BytesIO(content), file_name=name
        )


def tenant_make(name: str) -> tuple[Any, Any]:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.services.bases import knowledge_base_create  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, tenant_create  # noqa: PLC0415

    tenant = tenant_create(name=name)
    with tenant_tx(tenant.id):
        return tenant, knowledge_base_create(actor=SYSTEM, name="files")


def rate(copies: int) -> None:
    say(
        "| format | files | pages | pages a minute | reading | cleaning | embedding | publishing and the rest |"
    )
    say("|---|" + "--:|" * 7)
    # What is loaded once, on either side, is not part of a file's time.
    upload(*tenant_make("first"), b"some words", "first.txt")
    drain()
    for kind, name in FORMATS.items():
        tenant, base = tenant_make(kind)
        content = (FILES / name).read_bytes()
        for number in range(copies):
            upload(tenant, base, content, f"{number}-{name}")
        started = time.perf_counter()
        drain()
        took = time.perf_counter() - started
        pages, seconds = pages_and_seconds(tenant)
        shares = [seconds[stage] / took for stage in STAGES]
        told = " | ".join(f"{value:.0%}" for value in [*shares, max(1 - sum(shares), 0)])
        say(f"| {kind} | {copies} | {pages:.0f} | {60 * pages / took:.0f} | {told} |")


def pages_and_seconds(tenant: Any) -> tuple[float, dict[str, float]]:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.models import DocumentVersion  # noqa: PLC0415

    seconds: dict[str, float] = defaultdict(float)
    pages = 0.0
    with tenant_tx(tenant.id):
        for version in DocumentVersion.objects.filter(state="live"):
            is_paged = version.page_count and not version.file_name.endswith(".xlsx")
            pages += version.page_count if is_paged else len(version.text) / CHARS_A_PAGE
            for stage in STAGES:
                seconds[stage] += version.stages.get(stage, {}).get("seconds") or 0.0
            if version.stages.get("embedding", {}).get("state") != "done":
                say(f"without vectors: {version.file_name}")
    return pages, seconds


def drain() -> None:
    from furrow.core import jobs  # noqa: PLC0415

    while jobs.run_next("ingest"):
        pass


def fair() -> None:
    from django.db import connection  # noqa: PLC0415

    shops = [tenant_make(f"shop {number}") for number in range(TENANTS)]
    text = "\n\n".join(
        f"第{n}条 本店第{n}号规则：收到货物后请在两天内检查并联系客服。" for n in range(60)
    )
    # The hardest order: the first tenant's files all stand before the last one's.
    for tenant, base in shops:
        for number in range(FILES_EACH):
            upload(tenant, base, f"{tenant.name} {number}\n\n{text}".encode(), f"{number}.txt")
    done: dict[Any, float] = {}
    started = time.perf_counter()
    threads = [threading.Thread(target=_work, args=(connection,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        _note_finished(shops, done, started)
        time.sleep(0.25)
    _note_finished(shops, done, started)
    total = time.perf_counter() - started
    ends = sorted(done.values())
    say(f"\n{TENANTS} tenants with {FILES_EACH} files each, {WORKERS} workers: {total:.1f} s")
    say(f"first done {ends[0]:.1f} s, median {ends[len(ends) // 2]:.1f} s, last {ends[-1]:.1f} s")
    say(f"last over median {ends[-1] / ends[len(ends) // 2]:.2f} (bar 1.5), finished {len(done)}")


def _work(connection: Any) -> None:
    try:
        drain()
    finally:
        connection.close()


def _note_finished(shops: list[tuple[Any, Any]], done: dict[Any, float], started: float) -> None:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.models import Document  # noqa: PLC0415

    for tenant, _ in shops:
        if tenant.id not in done:
            with tenant_tx(tenant.id):
                ready = Document.objects.filter(status="ready").count()
            if ready == FILES_EACH:
                done[tenant.id] = time.perf_counter() - started


def main(arguments: list[str]) -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    copies = int(arguments[arguments.index("--copies") + 1]) if "--copies" in arguments else 10
    wanted = {name for name in arguments if name in {"rate", "fair"}} or {"rate", "fair"}
    server = contextlib.nullcontext() if "--without-server" in arguments else model_server()
    with server, scratch_database():
        if "rate" in wanted:
            rate(copies)
        if "fair" in wanted:
            fair()


@contextlib.contextmanager
def model_server() -> Iterator[None]:
    """`python -m inference serve` for embeddings, on a port of its own; the settings are read after this."""
    command = [sys.executable, "-m", "inference", "serve", "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = json.loads(process.stdout.readline())["port"]
            os.environ["EMBEDDINGS_URL"] = f"http://127.0.0.1:{port}/v1"
            yield
        finally:
            process.terminate()
            process.communicate()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
