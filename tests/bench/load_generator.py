"""Load for measurements: `python tests/bench/load_generator.py PLAN.json` prints what happened as JSON.

Raw HTTP/1.1 on one event loop, so that it costs little beside what it measures. `rate` calls are started at
fixed instants whatever the server does (an open model), and each latency counts from the instant it was due;
without a rate, `clients` ask again as soon as they have their answer, which finds the peak. An answer is good
only when it is whole: status 200, usage, and for a stream every word and its end.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

DONE = b"data: [DONE]"


class Client:
    """One kept connection."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        body = json.dumps(plan["body"]).encode()
        head = [
            f"POST {plan['path']} HTTP/1.1",
            f"Host: 127.0.0.1:{plan['port']}",
            f"Authorization: Bearer {plan['key']}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        self._request = "\r\n".join(head).encode() + b"\r\n\r\n" + body
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.first_s = 0.0
        self.status = ""
        # The silences between the pieces of a stream, where the plan wants them.
        self.gaps: list[float] = []

    async def ask(self) -> bool:
        """Whether the answer was whole. `first_s` is when its first byte of content came."""
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._plan["port"]
            )
        assert self._reader is not None
        begun = time.perf_counter()
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.status = head[9:12].decode()
        lower = head.lower()
        content = await self._content(lower, begun)
        if b"connection: close" in lower:
            self.close()
        return self.status == "200" and self._is_whole(content)

    async def _content(self, head: bytes, begun: float) -> bytes:
        assert self._reader is not None
        if b"content-length:" in head:
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            content = await self._reader.readexactly(length)
            self.first_s = time.perf_counter() - begun
            return content
        pieces: list[bytes] = []
        self.gaps = []
        last = 0.0
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            pieces.append(await self._reader.readexactly(size + 2))
            now = time.perf_counter()
            if len(pieces) == 1:
                self.first_s = now - begun
            elif self._plan.get("gaps"):
                self.gaps.append(now - last)
            last = now
        await self._reader.readuntil(b"\r\n")
        return b"".join(piece[:-2] for piece in pieces)

    def _is_whole(self, content: bytes) -> bool:
        if not self._plan["body"].get("stream"):
            return b'"prompt_tokens":' in content and content.count(b"word") == self._plan["words"]
        return (
            DONE in content
            and b'"prompt_tokens":' in content
            and content.count(b"word") == self._plan["words"]
        )

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Tally:
    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.firsts: list[float] = []
        self.gaps: list[float] = []
        # How many were bad for which reason: a status, or what broke the connection.
        self.reasons: Counter[str] = Counter()

    async def count(self, client: Client, due: float) -> None:
        try:
            is_good = await asyncio.wait_for(client.ask(), 60)
            reason = client.status
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
            client.close()
            is_good, reason = False, type(error).__name__
        if is_good:
            self.latencies.append(time.perf_counter() - due)
            self.firsts.append(client.first_s)
            self.gaps += client.gaps
        else:
            self.reasons[reason] += 1


async def at_rate(plan: dict[str, Any], tally: Tally) -> None:
    free: list[Client] = []
    running: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        client = free.pop() if free else Client(plan)
        await tally.count(client, due)
        free.append(client)

    begun = time.perf_counter()
    for n in range(int(plan["rate"] * plan["seconds"])):
        due = begun + n / plan["rate"]
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        task = asyncio.create_task(one(due))
        running.add(task)
        task.add_done_callback(running.discard)
    while running:
        await asyncio.wait(set(running))
    for client in free:
        client.close()


async def at_peak(plan: dict[str, Any], tally: Tally) -> None:
    stop = time.perf_counter() + plan["seconds"]

    async def one() -> None:
        client = Client(plan)
        while time.perf_counter() < stop:
            await tally.count(client, time.perf_counter())
        client.close()

    await asyncio.gather(*(one() for _ in range(plan["clients"])))


async def main(plan: dict[str, Any]) -> dict[str, Any]:
    tally = Tally()
    begun, used = time.perf_counter(), time.process_time()
    await (at_rate if plan.get("rate") else at_peak)(plan, tally)
    return {
        "seconds": time.perf_counter() - begun,
        "cpu_s": time.process_time() - used,
        "bad": tally.reasons.total(),
        "reasons": dict(tally.reasons),
        "latencies": tally.latencies,
        "firsts": tally.firsts,
        "gaps": tally.gaps,
    }


if __name__ == "__main__":
    import uvloop

    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(json.dumps(uvloop.run(main(json.load(file)))))
