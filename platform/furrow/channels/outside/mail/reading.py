"""What a mail says: who wrote it, in which thread, in their own words, and whether a machine wrote it."""

import hashlib
import html
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import nh3

MOST_PHOTOS = 6
MOST_TEXT = 200_000
LOOP_HEADER = "X-Furrow-Channel"
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,240}>")
_MACHINES = re.compile(
    r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|notifications?)([+.=-].*)?@",
    re.IGNORECASE,
)
_AUTO_SUBJECT = re.compile(
    r"^\s*(auto(matic)?[ -]?reply|out of (the )?office|undeliver|delivery status|mail delivery|returned mail|自动回复|自动答复|外出)",
    re.IGNORECASE,
)
# Where the words of the mail before begin, in the ways of the programs that people use.
_QUOTE_STARTS = (
    re.compile(r"^\s*>"),
    re.compile(
        r"^\s*-{2,}\s*(original message|原始邮件|原邮件|forwarded message|转发邮件).*$",
        re.IGNORECASE,
    ),
    re.compile(r"^\s*_{10,}\s*$"),
    re.compile(r"^\s*on\b.{5,200}\bwrote:\s*$", re.IGNORECASE),
    re.compile(r"^\s*(在\s*)?.{4,120}(写道|寫道)\s*[：:]\s*$"),
    re.compile(r"^\s*(from|发件人|寄件者|寄件人)\s*[：:].+$", re.IGNORECASE),
)
_SIGNATURE = re.compile(r"^--\s?$")
_SENT_FROM = re.compile(
    r"^\s*(sent from my .{2,40}|发自我的.{2,20}|来自我的.{2,20})\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Mail:
    """`thread` is the id of the mail that began it; `machine` says why nobody is to be answered, or is empty."""

    message_id: str
    thread: str
    references: tuple[str, ...]
    writer: str
    name: str
    subject: str
    text: str
    photos: tuple[bytes, ...]
    machine: str


def mail_read(raw: bytes, *, own_address: str) -> Mail:
    """Raises `ValueError` for bytes without a writer."""
    message = message_from_bytes(raw, policy=policy.default)
    name, address = parseaddr(_header(message, "From"))
    if "@" not in address:
        raise ValueError("no writer")
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    message_id = found[0] if found else f"<{hashlib.sha256(raw).hexdigest()}@none>"
    references = _references(message)
    return Mail(
        message_id=message_id,
        thread=references[0] if references else message_id,
        references=references,
        writer=address.lower()[:200],
        name=name[:120],
        subject=" ".join(_header(message, "Subject").split())[:200],
        text=own_words(_text(message)),
        photos=_photos(message),
        machine=_machine(message, address.lower(), own_address.lower()),
    )


def own_words(text: str) -> str:
    """Without what is quoted below, the signature, and what a phone adds."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _SIGNATURE.match(line) or any(start.match(line) for start in _QUOTE_STARTS):
            break
        if not _SENT_FROM.match(line):
            kept.append(line.rstrip())
    words = "\n".join(kept).strip()
    # "On 3 May, Li" and "wrote:" may stand on two lines.
    words = re.sub(
        r"\n*^\s*On\b[^\n]{5,150}\n?[^\n]{0,80}wrote:\s*\Z", "", words, flags=re.M | re.I
    )
    return re.sub(r"\n{3,}", "\n\n", words).strip()


def _references(message: EmailMessage) -> tuple[str, ...]:
    both = f"{_header(message, 'References')} {_header(message, 'In-Reply-To')}"
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(both)))[:30]


def _machine(message: EmailMessage, address: str, own: str) -> str:
    """Why a mail must not be answered. Answering a machine is how two of them write to each other for ever."""
    checks = (
        ("loop", address == own or bool(message.get(LOOP_HEADER))),
        (
            "auto_submitted",
            _header(message, "Auto-Submitted").lower().split(";")[0].strip() not in {"", "no"},
        ),
        (
            "bounce",
            _header(message, "Return-Path").strip() == "<>"
            or message.get_content_type() == "multipart/report",
        ),
        ("machine_address", bool(_MACHINES.match(address))),
        ("bulk", _header(message, "Precedence").lower() in {"bulk", "junk", "list", "auto_reply"}),
        ("list", bool(message.get("List-Id") or message.get("List-Unsubscribe"))),
        ("auto_reply", bool(message.get("X-Autoreply") or message.get("X-Autorespond"))),
        ("auto_subject", bool(_AUTO_SUBJECT.match(_header(message, "Subject")))),
    )
    return next((name for name, is_so in checks if is_so), "")


def _header(message: EmailMessage, name: str) -> str:
    """A damaged header is an empty one."""
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        return ""
    return str(value or "").replace("\x00", "").encode("utf-8", "replace").decode()


def _text(message: EmailMessage) -> str:
    part: Any = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    data = part.get_payload(decode=True) or b""
    try:
        text = data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    text = text.replace("\x00", "")[:MOST_TEXT]
    return _plain(text) if part.get_content_type() == "text/html" else text


def _plain(text: str) -> str:
    """The words of a page: quotes dropped whole, lines kept."""
    text = re.sub(r"(?is)<(style|script|head)\b.*?</\1\s*>", "", text)
    text = re.sub(r"(?is)<blockquote\b.*", "", text)
    text = re.sub(r"(?i)<(br|/p|/div|/tr|/li)\b[^>]*>", "\n", text)
    bare = nh3.clean(text, tags=set())
    return re.sub(r"[ \t]+", " ", html.unescape(bare))


def _photos(message: EmailMessage) -> tuple[bytes, ...]:
    found = []
    for part in message.walk():
        if part.get_content_type() in {"image/jpeg", "image/png", "image/webp"}:
            data = part.get_payload(decode=True)
            if isinstance(data, bytes) and len(data) > 2_000:
                # Smaller ones are logos and dots of signatures.
                found.append(data)
    return tuple(found[:MOST_PHOTOS])
