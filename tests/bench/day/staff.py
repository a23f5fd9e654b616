"""Three members who work the inbox through its pages: take over, reply, note, hand back, close; sometimes two at once."""

import asyncio
import html
import random
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

_TALK = re.compile(r'id="talk-([0-9a-f-]{36})"')
_CLAIM = re.compile(r'href="([^"]*/support/claims/[0-9a-f-]{36}/)"')
_PHOTO = re.compile(r'action="([^"]*/photos/[0-9a-f-]{36}/kind/)"')
_LETTER = re.compile(r'<blockquote[^>]*id="letter"[^>]*>(.*?)</blockquote>', re.DOTALL)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"')
LOOK_S = 0.8
# How long a member reads and types, in seconds of the compressed day.
THINK_S = (0.4, 1.0)
QUIET_S = 3.0
_REPLIES = (
    "您好，我是{me}，我来看一下。",
    "已经看到您的情况，我们马上处理。",
    "好的，稍等，我核对后回复您。",
)


@dataclass
class Wrote:
    """A reply that was posted: `status` 302 is sent, 409 refused."""

    conversation_id: str
    key: str
    text: str
    status: int
    is_race: bool


@dataclass
class Member:
    name: str
    user_id: str
    http: httpx.AsyncClient
    pages: str
    pick: random.Random
    colleagues: "list[Member]" = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)
    letters: int = 0
    done: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    mine: dict[str, float] = field(default_factory=dict)
    _token: str = ""

    async def run(self, over: asyncio.Event) -> None:
        """Until nobody waits any more after the day is over."""
        while True:
            try:
                is_quiet = await self._look()
            except (httpx.HTTPError, OSError) as error:
                self.faults.append(f"{type(error).__name__}: {error}"[:200])
                is_quiet = False
            if is_quiet and over.is_set() and not self.mine:
                return
            await asyncio.sleep(LOOK_S * (0.7 + 0.6 * self.pick.random()))

    async def _look(self) -> bool:
        page = await self.http.get(f"{self.pages}/?queue=waiting", headers={"HX-Request": "true"})
        page.raise_for_status()
        waiting = _TALK.findall(page.text)
        for conversation_id in list(self.mine):
            if conversation_id not in waiting:
                await self._end_when_quiet(conversation_id)
        free = [each for each in waiting if not self._is_a_colleagues(each)]
        if not free:
            return True
        await self._serve(free[0])
        return False

    def _is_a_colleagues(self, conversation_id: str) -> bool:
        """What a look at the list shows: the badge with the colleague's name."""
        return any(conversation_id in each.mine for each in self.colleagues)

    async def _serve(self, conversation_id: str) -> None:
        page = await self.http.get(f"{self.pages}/{conversation_id}/")
        page.raise_for_status()
        if found := _TOKEN.search(page.text):
            self._token = found.group(1)
        await asyncio.sleep(self.pick.uniform(*THINK_S))
        chance = self.pick.random()
        if chance < 0.12 and self.colleagues and conversation_id not in self.mine:
            await self._race(conversation_id)
            return
        if chance < 0.5 and conversation_id not in self.mine:
            if await self.post(conversation_id, "owner", {}) == 302:
                self.mine[conversation_id] = asyncio.get_running_loop().time()
        claim = _CLAIM.search(page.text)
        letter = await self._settle(claim.group(1)) if claim else ""
        await self.reply(conversation_id, letter)
        if chance > 0.8:
            await self.post(conversation_id, "messages", {"text": "老顾客，注意态度", "as": "note", "key": uuid.uuid4().hex})  # fmt: skip

    async def _race(self, conversation_id: str) -> None:
        """Both have it open and press at the same moment."""
        other = self.pick.choice(self.colleagues)
        self._count("race")
        await asyncio.gather(
            self.reply(conversation_id, is_race=True), other.reply(conversation_id, is_race=True)
        )

    async def _settle(self, path: str) -> str:
        """Says what each photo shows, presses yes where the rules give an offer, and takes the letter for the visitor."""
        url = f"{self.pages.split('/t/')[0]}{path}"
        page = await self.http.get(url)
        for action, kind in zip(_PHOTO.findall(page.text), ("label", "box", "goods"), strict=False):
            data = {"csrfmiddlewaretoken": self._token, "kind": kind}
            await self.http.post(f"{self.pages.split('/t/')[0]}{action}", data=data)
            self._count("photo")
        page = await self.http.get(url)
        if 'name="is_approved" value="1"' in page.text:
            data = {"csrfmiddlewaretoken": self._token, "is_approved": "1", "note": ""}
            await self.http.post(f"{url}decision/", data=data)
            self._count("yes")
            page = await self.http.get(url)
        found = _LETTER.search(page.text)
        self.letters += bool(found)
        return html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).strip() if found else ""

    async def reply(self, conversation_id: str, text: str = "", *, is_race: bool = False) -> None:
        text = text or self.pick.choice(_REPLIES).format(me=self.name)
        key = uuid.uuid4().hex
        body = {"text": text, "as": "reply", "key": key}
        times = 2 if self.pick.random() < 0.15 else 1
        codes = await asyncio.gather(
            *(self.post(conversation_id, "messages", body) for _ in range(times))
        )
        if len(set(codes)) > 1:
            self.faults.append(f"a form sent twice was answered {codes}")
        self.wrote.append(Wrote(conversation_id, key, text, codes[0], is_race))
        if codes[0] == 302:
            self.mine[conversation_id] = asyncio.get_running_loop().time()

    async def _end_when_quiet(self, conversation_id: str) -> None:
        if asyncio.get_running_loop().time() - self.mine[conversation_id] < QUIET_S:
            return
        what = "closure" if self.pick.random() < 0.7 else "return"
        await self.post(conversation_id, what, {})
        del self.mine[conversation_id]

    async def post(self, conversation_id: str, what: str, body: dict[str, Any]) -> int:
        if not self._token:
            page = await self.http.get(f"{self.pages}/{conversation_id}/")
            found = _TOKEN.search(page.text)
            self._token = found.group(1) if found else ""
        data = {"csrfmiddlewaretoken": self._token, **body}
        answer = await self.http.post(f"{self.pages}/{conversation_id}/{what}/", data=data)
        self._count(what if body.get("as") != "note" else "note")
        if answer.status_code not in {302, 409}:
            self.faults.append(f"{what}: {answer.status_code}")
        return answer.status_code

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1
