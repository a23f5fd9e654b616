"""`Idempotency-Key` at `/v1`: a repeated call gets the first answer and costs nothing."""

import hashlib
from dataclasses import dataclass
from typing import Any

from furrow.api.openai.auth import Caller
from furrow.api.openai.http import Request
from furrow.core.threads import in_thread
from furrow.tenants import idempotency


class Replay(Exception):
    """This call was answered before."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


@dataclass
class Once:
    """One call's key; without one (`key` empty) nothing is kept. Only the call that `is_first` may end it."""

    caller: Caller
    key: str
    digest: str
    is_first: bool = False

    @classmethod
    def of(cls, request: Request, caller: Caller) -> "Once":
        asked = f"{request.method} {request.path}\n".encode() + request.body
        key = request.headers.get("idempotency-key", "")
        return cls(caller, key, hashlib.sha256(asked).hexdigest() if key else "")

    def begin(self) -> None:
        """In a thread. Raises `Replay` with the kept answer, `Conflict` while the first call is running."""
        if not self.key:
            return
        kept = idempotency.reserve(
            tenant_id=self.caller.tenant_id,
            caller=self.caller.name,
            key=self.key,
            digest=self.digest,
        )
        if kept is not None:
            raise Replay(kept[1])
        self.is_first = True

    async def keep(self, answer: Any) -> None:
        if self.key:
            await in_thread(
                idempotency.keep,
                tenant_id=self.caller.tenant_id,
                caller=self.caller.name,
                key=self.key,
                result=(200, answer),
            )

    async def release(self) -> None:
        if self.is_first:
            await in_thread(
                idempotency.release,
                tenant_id=self.caller.tenant_id,
                caller=self.caller.name,
                key=self.key,
            )
