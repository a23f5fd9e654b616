"""The shop's visitors on the widget's own HTTP calls. Each keeps a ledger of what was sent, answered and heard."""

import asyncio
import io
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import Image, ImageDraw

from tests.bench.day.script import SITE, Say, Visit

# Somebody who asked for a person stays so long, in seconds of the compressed day.
PATIENCE_S = 45.0
# So few different pictures that some are sent by two visitors.
PICTURES = 40
_PAUSE_S = (0.3, 1.2)
_TRY_AGAIN = {425, 429, 503}
_BEYOND_RUNGS = {"human", "greeting", ""}


@dataclass
class Sent:
    """A message, the turn it became, and what came back for it; `answers` are those that were not taken back."""

    say: Say
    text: str
    key: str
    turn_id: str = ""
    conversation_id: str = ""
    answered_by: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    first_s: float | None = None
    end: str = ""

    @property
    def answer(self) -> str:
        return self.answers[-1]["text"] if self.answers else ""

    @property
    def is_right(self) -> bool:
        """Whether every expected piece stands in it; without any, whether something was said at all."""
        if not self.say.expect:
            return bool(self.answer)
        told = self.answer.lower()
        return all(
            any(part.lower() in told for part in piece.split("|")) for piece in self.say.expect
        )


@dataclass
class Customer:
    visit: Visit
    base: str
    key: str
    http: httpx.AsyncClient
    photos: list[bytes]
    sent: list[Sent] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    # The greatest number heard of each conversation, as the widget keeps it.
    after: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    again: int = 0
    token: str = ""
    visitor: str = ""
    conversation_id: str = ""
    thumb: int = 0
    face: int = 0
    was_helped: bool = False
    asked_person: bool = False
    faults: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _is_judging: bool = False

    async def run(self) -> None:
        try:
            await self._enter()
            await self._talk()
        except (httpx.HTTPError, OSError, KeyError, ValueError) as error:
            self.faults.append(f"{type(error).__name__}: {error}"[:200])

    async def _talk(self) -> None:
        listening: asyncio.Task[None] | None = None
        try:
            for at, say in enumerate(self.visit.says):
                await self._say(say)
                listening = listening or asyncio.create_task(self._listen())
                if say.waits and at + 1 < len(self.visit.says):
                    await asyncio.sleep(_PAUSE_S[0] + (self.visit.number % 9) / 10)
            await self._finish()
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _finish(self) -> None:
        """Reads all answers, judges by the truth, insists on a person or leaves."""
        await self.follow_rest()
        right = all(sent.is_right for sent in self.sent if sent.say.waits or sent.say.expect)
        wants = self.visit.wants_person or (not right and self.visit.insists)
        self.was_helped = right and not self.visit.wants_person and not self.visit.is_beyond
        if self.was_helped:
            if self.visit.rates:
                await self._judge(1)
            return
        if not wants:
            if self.visit.rates and not self.visit.is_beyond:
                await self._judge(-1)
            return
        self.asked_person = True
        if not self.visit.wants_person:
            await self._say(Say("转人工" if self.visit.language == "zh" else "talk to a person"))
        if await self._hears(PATIENCE_S):
            self.was_helped = True
            await asyncio.sleep(_PAUSE_S[0])
            await self._say(Say("好的谢谢" if self.visit.language == "zh" else "ok, thank you"))
            await self._hears_end(PATIENCE_S / 2)

    async def _hears(self, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while not self.heard and (left := deadline - time.monotonic()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                break
        return bool(self.heard)

    async def _hears_end(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not self._is_judging and (left := deadline - time.monotonic()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                return
        if self._is_judging and self.visit.rates:
            self.face = 3
            await self._post("csat", {"score": 3})

    async def _judge(self, value: int) -> None:
        done = [sent for sent in self.sent if sent.answers and sent.end == "done"]
        if done:
            self.thumb = value
            await self._post(f"turns/{done[-1].turn_id}/feedback", {"value": value})

    async def _say(self, say: Say) -> None:
        photos = [await self._upload(n) for n in range(say.photos)]
        key = uuid.uuid4().hex
        sent = Sent(say, say.text, key)
        self.sent.append(sent)
        begun = time.monotonic()
        body = {"text": say.text, **({"photos": photos} if photos else {})}
        told = await self._post("messages", body, key=key)
        sent.turn_id, sent.conversation_id = told["turn_id"], told["conversation_id"]
        sent.answered_by = told["answered_by"]
        self.conversation_id = told["conversation_id"]
        if self.visit.number % 5 == 0:
            await self._send_again(sent, body)
        if sent.answered_by == "assistant" and say.waits:
            await self._follow(sent, begun)

    async def _send_again(self, sent: Sent, body: dict[str, Any]) -> None:
        """As after a line that broke before the acknowledgement came."""
        self.again += 1
        told = await self._post("messages", body, key=sent.key)
        if told["turn_id"] != sent.turn_id:
            self.faults.append("a repeated message became another turn")

    async def follow_rest(self) -> None:
        """Answers of messages that were sent without waiting, and of a token that ended meanwhile."""
        for sent in self.sent:
            if sent.turn_id and sent.answered_by == "assistant" and not sent.end:
                await self._follow(sent, None)

    async def _follow(self, sent: Sent, begun: float | None) -> None:
        async for name, data, _id in self._events(f"turns/{sent.turn_id}/events"):
            if name == "reset":
                sent.answers.clear()
            if name in {"delta", "answer"} and sent.first_s is None and begun is not None:
                sent.first_s = time.monotonic() - begun
            if name == "answer":
                sent.answers.append(data)
            if name in {"done", "error"}:
                sent.end = name
                return

    async def _listen(self) -> None:
        """The feed. Every fourth visitor's line breaks after each message."""
        while True:
            try:
                await self.hear(stays=True)
            except (httpx.HTTPError, OSError):
                await asyncio.sleep(0.3)

    async def hear(self, *, stays: bool) -> None:
        """One connection. Without `stays` until the present state has been told, which comes after all words."""
        here = self.conversation_id
        after = self.after.get(here, 0)
        async for name, data, number in self._events("feed", after=after):
            if name == "message":
                self.heard.append({**data, "conversation_id": here})
                self.after[here] = int(number)
                self._news.set()
                if stays and self.visit.number % 4 == 0:
                    return
            if name == "csat.ask":
                self._is_judging = True
                self._news.set()
            if name == "status" and not stays:
                return

    async def _events(
        self, path: str, *, after: int = 0
    ) -> AsyncIterator[tuple[str, dict[str, Any], str]]:
        headers = {**self._headers(), **({"Last-Event-ID": str(after)} if after else {})}
        async with self.http.stream("GET", f"{self.base}/{path}", headers=headers) as answer:
            answer.raise_for_status()
            frame: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    frame[name] = value
                    continue
                if "event" in frame:
                    yield frame["event"], json.loads(frame["data"]), frame.get("id", "0")
                frame = {}

    async def _upload(self, n: int) -> str:
        data = self.photos[(self.visit.number + n) % len(self.photos)]
        headers = {**self._headers(), "Content-Type": "image/jpeg"}
        for _ in range(20):
            answer = await self.http.post(f"{self.base}/photos", content=data, headers=headers)
            if answer.status_code not in _TRY_AGAIN:
                answer.raise_for_status()
                return str(answer.json()["id"])
            await self._wait(answer)
        raise OSError("photo refused for too long")

    async def enter_again(self) -> None:
        """Known by the browser's token; the old session may have ended."""
        await self._enter()

    async def _enter(self) -> None:
        body = {"assistant": self.key, "lang": self.visit.language, "visitor": self.visitor}
        told = await self._post("sessions", body)
        self.token = told["token"]
        self.visitor = told["visitor"]

    async def _post(self, path: str, body: dict[str, Any], *, key: str = "") -> dict[str, Any]:
        """Waits and repeats where the server asks for it, as the widget does."""
        headers = {**self._headers(), **({"Idempotency-Key": key} if key else {})}
        for _ in range(20):
            answer = await self.http.post(f"{self.base}/{path}", json=body, headers=headers)
            if answer.status_code not in _TRY_AGAIN:
                if answer.is_error:
                    raise OSError(f"{path}: {answer.status_code} {answer.text[:120]}")
                return dict(answer.json())
            await self._wait(answer)
        raise OSError(f"{path} refused for too long")

    async def _wait(self, answer: httpx.Response) -> None:
        self.retries += 1
        await asyncio.sleep(min(5.0, float(answer.headers.get("Retry-After", "0.2"))))

    def _headers(self) -> dict[str, str]:
        """From a household of its own, behind the proxy."""
        number = self.visit.number
        address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Origin": SITE, "X-Forwarded-For": address, **bearer}


def photos_made(count: int = PICTURES) -> list[bytes]:
    """Different pictures, small as phones send them after the widget made them smaller."""
    return [_photo(seed) for seed in range(count)]


def _photo(seed: int) -> bytes:
    image = Image.new("RGB", (960, 720), (205, 180, 90))
    draw = ImageDraw.Draw(image)
    for n in range(12):
        x, y = (seed * 97 + n * 211) % 960, (seed * 61 + n * 137) % 720
        color = ((n * 53 + seed * 31) % 255, (n * 97) % 255, seed * 17 % 255)
        draw.ellipse((x - 90, y - 90, x + 90, y + 90), fill=color)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
