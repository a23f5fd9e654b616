"""Servers of other people, near enough that our clients cannot tell: WeChat's API, an IMAP and an SMTP server."""

import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORD = "mail-pass-1"
USER = "shop@orchard.example"


@dataclass
class FakeWeChat:
    """Its answers follow the published protocol; the limit of five messages is kept as WeChat keeps it."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    forget_token: bool = False
    forget_for: str = ""
    page: int = 2
    refuse: int = 0

    def answer(self, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Any:
        if path == "/cgi-bin/gettoken":
            if query["corpsecret"] != ["wx-secret"]:
                return {"errcode": 40001, "errmsg": "invalid credential"}
            self.tokens += 1
            return {"errcode": 0, "access_token": f"token{self.tokens}", "expires_in": 7200}
        is_old = self.forget_token or path == self.forget_for
        if query.get("access_token") != [f"token{self.tokens}"] or is_old:
            self.forget_token, self.forget_for = False, ""
            return {"errcode": 42001, "errmsg": "access_token expired"}
        if self.refuse:
            return {"errcode": self.refuse, "errmsg": "no"}
        if path == "/cgi-bin/kf/sync_msg":
            at = int(body["cursor"] or 0)
            part = self.messages[at : at + self.page]
            after = at + len(part)
            more = int(after < len(self.messages))
            return {"errcode": 0, "next_cursor": str(after), "has_more": more, "msg_list": part}
        if path == "/cgi-bin/kf/send_msg":
            if any(each["msgid"] == body["msgid"] for each in self.sent):
                return {"errcode": 0, "msgid": body["msgid"]}
            self.sent.append(body)
            return {"errcode": 0, "msgid": body["msgid"]}
        if path == "/cgi-bin/media/get":
            return self.media.get(query["media_id"][0], {"errcode": 40007, "errmsg": "no media"})
        return {"errcode": 404}

    def writes(self, text: str, user: str = "wmA", **more: Any) -> None:
        number = len(self.messages) + 1
        row = {
            "msgid": f"msg{number}",
            "open_kfid": "wkShop",
            "external_userid": user,
            "send_time": 1_790_000_000 + number,
            "origin": 3,
            "msgtype": "text",
            "text": {"content": text},
        }
        self.messages.append({**row, **more})


def serving_wechat(fake: FakeWeChat) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do({})

        def do_POST(self) -> None:
            self._do(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _do(self, body: dict[str, Any]) -> None:
            parts = urlsplit(self.path)
            answer = fake.answer(parts.path, parse_qs(parts.query), body)
            is_file = isinstance(answer, bytes)
            data = answer if is_file else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "image/png" if is_file else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    return running(ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def running(server: Any) -> Any:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@dataclass
class FakeInbox:
    """An IMAP4rev1 server with one mailbox, as far as reading needs it (RFC 3501)."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    # Sizes that are told instead of the true ones.
    claims: dict[int, int] = field(default_factory=dict)
    announced: int = 0
    commands: list[str] = field(default_factory=list)

    def add(self, raw: bytes) -> int:
        uid = max(self.mails, default=100) + 1
        self.mails[uid] = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return uid


class ImapHandler(socketserver.StreamRequestHandler):
    inbox: FakeInbox

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode().strip().partition(" ")
            self.inbox.commands.append(command)
            known = getattr(self, f"do_{command.split(' ')[0].lower()}", None)
            if known is None:
                self.say(f"{tag} BAD unknown")
            else:
                self.say(f"{tag} {known(command) or 'OK done'}")
            if command.upper() == "LOGOUT":
                return

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def do_capability(self, command: str) -> None:
        self.say("* CAPABILITY IMAP4rev1")

    def do_login(self, command: str) -> str:
        is_right = command == f'LOGIN {USER} "{PASSWORD}"'
        return "OK done" if is_right else "NO [AUTHENTICATIONFAILED] no"

    def do_examine(self, command: str) -> None:
        self.say(f"* {len(self.inbox.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.inbox.validity}] valid")

    def do_logout(self, command: str) -> None:
        self.say("* BYE")

    def do_uid(self, command: str) -> str | None:
        if found := re.fullmatch(r"UID SEARCH UID (\d+):\*", command):
            uids = self.inbox.mails
            # "*" is the last message, so one is always named even if it is below the range.
            wanted = {uid for uid in uids if uid >= int(found[1])} | set(sorted(uids)[-1:])
            self.say("* SEARCH " + " ".join(map(str, sorted(wanted))))
        elif found := re.fullmatch(r"UID FETCH (\d+) \(RFC822\.SIZE\)", command):
            size = self.inbox.claims.get(int(found[1])) or len(self.inbox.mails[int(found[1])])
            self.say(f"* 1 FETCH (UID {found[1]} RFC822.SIZE {size})")
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", command):
            raw = self.inbox.mails[int(found[1])]
            self.wfile.write(
                f"* 1 FETCH (UID {found[1]} BODY[] {{{self.inbox.announced or len(raw)}}}\r\n".encode()
            )
            self.wfile.write(raw + b")\r\n")
        else:
            return "BAD unknown"
        return None


class ImapServer(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


def serving_imap(inbox: FakeInbox) -> ImapServer:
    handler = type("BoundImap", (ImapHandler,), {"inbox": inbox})
    return running(ImapServer(("127.0.0.1", 0), handler))


class Postbox:
    """What an SMTP server took, from whom and for whom."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuses = ""

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        if not session.authenticated:
            return "530 sign in first"
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope)
        return "250 OK"


def serving_smtp(box: Postbox) -> Controller:
    def allow(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right)

    # The controller looks at its own port before it says that it runs, so it must know the number.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=allow, auth_require_tls=False
    )
    controller.start()
    return controller


@contextmanager
def dripping(said: bytes, drop: bytes, *, pause_s: float = 0.05) -> Iterator[int]:
    """A server that says this and then a drop now and then, without ever coming to an end; its port. It gives up
    after ten seconds, so that a client which would wait for ever fails its test instead.
    """

    class Dripper(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            ends_at = time.monotonic() + 10
            with suppress(OSError):
                self.request.sendall(said)
                while time.monotonic() < ends_at:
                    self.request.sendall(drop)
                    time.sleep(pause_s)

    server = running(ImapServer(("127.0.0.1", 0), Dripper))
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
