"""A chat server of fixed speed for measurements: `python tests/bench/mock_engine.py PORT`. It costs as little as
it can, waits as told, and counts what it was asked, so that no call of a model can be forgotten or invented.

`MOCK_TOKENS` words an answer, `MOCK_PREFILL_MS` before the first and `MOCK_STEP_MS` before each other.
"""

import asyncio
import json
import os
import sys

TOKENS = int(os.environ.get("MOCK_TOKENS", "16"))
PREFILL_S = float(os.environ.get("MOCK_PREFILL_MS", "20")) / 1000
STEP_S = float(os.environ.get("MOCK_STEP_MS", "2")) / 1000
PROMPT = 40
USAGE = {
    "prompt_tokens": PROMPT,
    "completion_tokens": TOKENS,
    "total_tokens": PROMPT + TOKENS,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
PLACE = b"chatcmpl-00000000"
SHARED = {"id": PLACE.decode(), "created": 1, "model": "mock-chat"}
served = {"calls": 0, "complete": 0}


def _event(choices: list[object], **more: object) -> bytes:
    body = {**SHARED, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _choice(delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


FIRST = _event([_choice({"role": "assistant", "content": ""})])
WORD = _event([_choice({"content": "word "})])
LAST = _event([_choice({}, "stop")]) + _event([], usage=USAGE) + b"data: [DONE]\n\n"
MESSAGE = {"role": "assistant", "content": "word " * TOKENS}
WHOLE = json.dumps(
    {
        **SHARED,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()
MODELS = json.dumps({"object": "list", "data": [{"id": "mock-chat", "object": "model"}]}).encode()


def _head(kind: bytes, length: int | None = None) -> bytes:
    size = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n" + size + b"\r\n\r\n"


def _piece(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = await reader.readexactly(length)
            if head.startswith(b"POST"):
                await _answer(writer, b'"stream":true' in body.replace(b" ", b""))
            else:
                known = json.dumps(served).encode() if b"/served" in head else MODELS
                writer.write(_head(b"application/json", len(known)) + known)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _answer(writer: asyncio.StreamWriter, is_stream: bool) -> None:
    served["calls"] += 1
    # LiteLLM keeps one row for each id. All ids have one length, so that nothing is counted anew.
    name = b"chatcmpl-%08d" % served["calls"]
    first, word, last, whole = (part.replace(PLACE, name) for part in (FIRST, WORD, LAST, WHOLE))
    if not is_stream:
        await asyncio.sleep(PREFILL_S + TOKENS * STEP_S)
        writer.write(_head(b"application/json", len(whole)) + whole)
    else:
        loop = asyncio.get_running_loop()
        begun = loop.time() + PREFILL_S
        await asyncio.sleep(PREFILL_S)
        writer.write(_head(b"text/event-stream") + _piece(first))
        for n in range(1, TOKENS + 1):
            await asyncio.sleep(max(begun + n * STEP_S - loop.time(), 0))
            writer.write(_piece(word))
            await writer.drain()
        writer.write(_piece(last) + b"0\r\n\r\n")
    served["complete"] += 1


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))
