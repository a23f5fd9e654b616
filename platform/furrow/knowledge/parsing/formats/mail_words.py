"""What a mail says: who wrote it, in which thread, in their own words, and whether a machine wrote it."""

import base64
import hashlib
import html
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob

MOST_PHOTOS = 6
MOST_TEXT = 200_000
LOOP_HEADER = "X-Furrow-Channel"
MOST_REFERENCES = 20
# As they may stand in a header of an answer: printable, nothing that separates or quotes.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[\w.-]{1,130}")
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


def read(path: Path, job: ParseJob) -> dict[str, Any]:
    """The fields of `apart.MailWords`, photos in Base64."""
    raw = path.read_bytes()
    if len(raw) > job.limits.max_bytes:
        raise ParseFailure("too_large", "mail")
    message = message_from_bytes(raw, policy=policy.default)
    name, address = parseaddr(_header(message, "From"))
    if not _ADDRESS.fullmatch(address):
        raise ParseFailure("damaged", "no writer")
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    message_id = found[0] if found else f"<{hashlib.sha256(raw).hexdigest()}@none>"
    return {
        "message_id": message_id,
        "references": _references(message),
        "writer": address.lower(),
        "name": name[:120],
        "subject": " ".join(_header(message, "Subject").split())[:200],
        "text": own_words(_text(message)),
        "photos": [base64.b64encode(data).decode() for data in _photos(message)],
        "machine": _machine(message, address.lower()),
    }


def own_words(text: str) -> str:
    """Without what is quoted below, the signature, and what a phone adds."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _SIGNATURE.match(line) or any(start.match(line) for start in _QUOTE_STARTS):
            break
        if not _SENT_FROM.match(line):
            kept.append(line.rstrip())
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    # "On 3 May, Li" and "wrote:" may stand on two lines.
    return re.sub(
        r"\n*^\s*On\b[^\n]{5,150}\n?[^\n]{0,80}wrote:\s*\Z", "", words, flags=re.M | re.I
    ).strip()


def _references(message: EmailMessage) -> list[str]:
    """The mails before this one in its thread. Of many the first, by which a thread is known, and the latest."""
    both = f"{_header(message, 'References')} {_header(message, 'In-Reply-To')}"
    found = list(dict.fromkeys(_MESSAGE_ID.findall(both)))
    return found if len(found) <= MOST_REFERENCES else [found[0], *found[1 - MOST_REFERENCES :]]


def _machine(message: EmailMessage, address: str) -> str:
    """Why a mail must not be answered. Answering a machine is how two of them write to each other for ever."""
    checks = (
        ("loop", bool(_header(message, LOOP_HEADER))),
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
        ("list", bool(_header(message, "List-Id") or _header(message, "List-Unsubscribe"))),
        ("auto_reply", bool(_header(message, "X-Autoreply") or _header(message, "X-Autorespond"))),
        ("auto_subject", bool(_AUTO_SUBJECT.match(_header(message, "Subject")))),
    )
    return next((name for name, is_so in checks if is_so), "")


def _header(message: EmailMessage, name: str) -> str:
    """A damaged header is an empty one."""
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        return ""
    return _storable(str(value or ""))


def _storable(text: str) -> str:
    """Without what no database takes: some encodings can spell halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _text(message: EmailMessage) -> str:
    part: Any = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    data = part.get_payload(decode=True) or b""
    try:
        text = data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    text = _storable(text[:MOST_TEXT])
    return _plain(text) if part.get_content_type() == "text/html" else text


def _plain(text: str) -> str:
    """The words of a page: quotes dropped whole, lines kept."""
    # Only here, as most mails bring plain text.
    import nh3  # noqa: PLC0415

    text = re.sub(r"(?is)<blockquote\b.*", "", text)
    text = re.sub(r"(?i)<(br|/p|/div|/tr|/li)\b[^<>]*>", "\n", text)
    bare = nh3.clean(text, tags=set(), clean_content_tags={"script", "style", "title"})
    return re.sub(r"[ \t]+", " ", html.unescape(bare))


def _photos(message: EmailMessage) -> list[bytes]:
    found = []
    for part in message.walk():
        if part.get_content_type() in {"image/jpeg", "image/png", "image/webp"}:
            data = part.get_payload(decode=True)
            if isinstance(data, bytes) and len(data) > 2_000:
                # Smaller ones are logos and dots of signatures.
                found.append(data)
    return found[:MOST_PHOTOS]
