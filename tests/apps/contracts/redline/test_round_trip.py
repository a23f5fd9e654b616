import io
import random
import re
from datetime import UTC, datetime

import docx
import pytest

from apps.contracts.redline import (
    Change,
    Comment,
    Delete,
    Edit,
    InsertAfter,
    paragraphs_read,
    redline_write,
)
from tests.apps.contracts.redline.oracle import OURS, accepted, body_of, made, rejected, sentence

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
_FOREIGN = re.compile(rb'<w:(ins|del) [^>]*w:author="\xe7\x8e\x8b[^>]*>.*?</w:\1>', re.DOTALL)


def random_edits(rng: random.Random, lines: list[str]) -> list[Edit]:
    edits: list[Edit] = []
    for place, text in enumerate(lines):
        kind = rng.choice(["change", "change", "words", "insert", "delete", "comment", "none"])
        start, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        note = rng.choice(["", "请核对金额 & <期限>\n第二行"])
        if kind == "change":
            edits.append(Change(place, start, end, sentence(rng, rng.randint(0, 3)), note))
        elif kind == "words" and text:
            edits.append(
                Change(
                    place, 0, len(text), text.replace("甲方", "买方").replace("20%", "10%"), note
                )
            )
        elif kind == "insert":
            edits.append(InsertAfter(place, sentence(rng, 4), note))
        elif kind == "delete":
            edits.append(Delete(place, note))
        elif kind == "comment":
            edits.append(Comment(place, start, end, "看这里"))
    return edits


def applied(lines: list[str], edits: tuple[Edit, ...]) -> list[str]:
    out = []
    for place, text in enumerate(lines):
        mine = [edit for edit in edits if edit.paragraph == place]
        for edit in mine:
            if isinstance(edit, Change):
                text = text[: edit.start] + edit.text + text[edit.end :]
        if not any(isinstance(edit, Delete) for edit in mine):
            out.append(text)
        out += [edit.text for edit in mine if isinstance(edit, InsertAfter)]
    return out


@pytest.mark.parametrize("seed", range(60))
def test_accepting_gives_the_new_text_and_rejecting_the_old(seed: int) -> None:
    original = made(seed)
    lines = paragraphs_read(original)
    edits = random_edits(random.Random(seed * 7 + 1), lines)

    result = redline_write(original, edits, author=OURS, at=AT, initials="F")

    assert accepted(result.document) == applied(lines, result.done)
    assert rejected(result.document) == lines == accepted(original)
    assert _FOREIGN.findall(body_of(result.document)) == _FOREIGN.findall(body_of(original))
    assert [m[0] for m in _FOREIGN.finditer(body_of(result.document))] == [
        m[0] for m in _FOREIGN.finditer(body_of(original))
    ]
    assert {refusal.reason for refusal in result.refused} <= {
        "revision", "no_neighbour", "empty", "outside",
    }  # fmt: skip
    assert len(result.done) + len(result.refused) == len(edits)
    docx.Document(io.BytesIO(result.document))
