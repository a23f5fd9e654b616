"""Calls to WeChat's customer service: a token that is shared and renewed, messages to read, messages to send, media."""

import hashlib
import json
from typing import Any

import httpx
from django.conf import settings

from furrow.channels.models import Connection
from furrow.channels.outside.connections import secrets_of
from furrow.channels.outside.replies import Held
from furrow.core.egress import internal_client
from furrow.core.errors import UpstreamFailed
from furrow.core.keys import tenant_key
from furrow.core.redis import sync_redis

TIMEOUT_S = 15.0
MOST_MEDIA_BYTES = 4 * 1024 * 1024
# The token is unknown, wrong or too old.
_TOKEN_CODES = frozenset({40001, 40014, 42001})
# More than 48 hours since the customer wrote, or more than five messages since, or the session is over.
_HELD_CODES = frozenset({45015, 45047, 95001, 95018})
_BUSY_CODES = frozenset({-1, 45009, 45033})


class WeChat:
    """One business's account. Closed by `with`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._corp_id = str(connection.settings["corp_id"])
        self._secret = secrets_of(connection)["secret"]
        self._client = internal_client(settings.WECHAT_API_URL, timeout_s=TIMEOUT_S)

    def __enter__(self) -> "WeChat":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def token_fetch(self) -> str:
        """A fresh token, kept for the others until shortly before it ends."""
        told = self._answer(
            "GET", "/cgi-bin/gettoken", {"corpid": self._corp_id, "corpsecret": self._secret}
        )
        _code_check(told)
        token, lasts_s = str(told["access_token"]), int(told["expires_in"])
        sync_redis().set(self._cache_key, token, ex=max(60, lasts_s - 300))
        return token

    def messages_since(self, cursor: str, callback_token: str = "") -> dict[str, Any]:
        body = {
            "cursor": cursor,
            "token": callback_token,
            "limit": 1000,
            "open_kfid": self._connection.settings["open_kfid"],
        }
        return self._call("/cgi-bin/kf/sync_msg", body)

    def text_send(self, *, to: str, text: str, message_id: str) -> str:
        """`message_id` makes a repetition known to the other side."""
        body = {
            "touser": to,
            "open_kfid": self._connection.settings["open_kfid"],
            "msgid": message_id,
            "msgtype": "text",
            "text": {"content": text},
        }
        return str(self._call("/cgi-bin/kf/send_msg", body).get("msgid", ""))

    def media_fetch(self, media_id: str) -> bytes:
        """Raises a permanent `UpstreamFailed` for what is gone or too large."""
        data, told = self._media(media_id, self._token())
        if told.get("errcode") in _TOKEN_CODES:
            data, told = self._media(media_id, self.token_fetch())
        if told:
            code = told.get("errcode")
            raise UpstreamFailed(
                "WeChat did not give the picture.",
                code="media_gone",
                permanent=code not in _BUSY_CODES | _TOKEN_CODES,
            )
        return data

    def _media(self, media_id: str, token: str) -> tuple[bytes, dict[str, Any]]:
        """The file, or what WeChat says instead of one."""
        query = {"access_token": token, "media_id": media_id}
        content = bytearray()
        try:
            with self._client.stream("GET", "/cgi-bin/media/get", params=query) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MOST_MEDIA_BYTES:
                        raise UpstreamFailed(
                            "The picture is too large.", code="too_large", permanent=True
                        )
        except httpx.HTTPError:
            raise _unanswered() from None
        if not response.headers.get("content-type", "").startswith(("application/json", "text/")):
            return bytes(content), {}
        try:
            told = json.loads(content)
        except ValueError:
            raise _unanswered() from None
        return b"", told if isinstance(told, dict) and told else {"errcode": None}

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        told = self._answer("POST", path, {"access_token": self._token()}, body)
        if told.get("errcode") in _TOKEN_CODES:
            told = self._answer("POST", path, {"access_token": self.token_fetch()}, body)
        _code_check(told)
        return told

    def _token(self) -> str:
        known: Any = sync_redis().get(self._cache_key)
        return known.decode() if known else self.token_fetch()

    @property
    def _cache_key(self) -> str:
        """With the secret in it: a new one needs a new token."""
        digest = hashlib.sha256(self._secret.encode()).hexdigest()[:16]
        return tenant_key(self._connection.tenant_id, "wechat", self._connection.id, digest)

    def _answer(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, params=query, json=body)
            told = response.json()
        except (httpx.HTTPError, ValueError):
            raise _unanswered() from None
        if response.status_code != 200 or not isinstance(told, dict):
            raise _unanswered()
        return told


def _code_check(told: dict[str, Any]) -> None:
    code = told.get("errcode", 0)
    if code in _HELD_CODES:
        raise Held(str(code))
    if code:
        raise UpstreamFailed(
            "WeChat refused the call.",
            code=f"wechat_{code}",
            permanent=code not in _BUSY_CODES,
        )


def _unanswered() -> UpstreamFailed:
    return UpstreamFailed("WeChat did not answer.", code="no_answer")
