"""What visitors asked that came near an approved answer and may be another wording of its question."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from furrow.assistants.answers import gap_key
from furrow.assistants.models import ApprovedAnswer, Gap
from furrow.assistants.wordings import Answers, keys_of
from furrow.conversations.models import Turn

DAYS = 60
_LATEST, _GAPS, _SHOWN = 200, 100, 8
# A gap comes up here only when it is about this answer more than about any other, and clearly so.
_NEAR = 0.3


@dataclass(frozen=True)
class Wording:
    """`is_chosen`: a visitor was offered the answer's question after asking this, and took it."""

    text: str
    count: int
    is_chosen: bool = False


def wordings_asked(answer: ApprovedAnswer) -> list[Wording]:
    """What is surest to mean the same first. Three queries."""
    known = keys_of(answer)
    texts: dict[str, str] = {}
    counts: Counter[str] = Counter()
    chosen: set[str] = set()
    for text, is_chosen in [*_offered(answer), *_gaps(answer)]:
        key = gap_key(text)
        if key and key not in known:
            texts.setdefault(key, text)
            counts[key] += 1
            chosen |= {key} if is_chosen else set()
    keys = sorted(texts, key=lambda key: (key not in chosen, -counts[key]))
    return [Wording(texts[key], counts[key], key in chosen) for key in keys[:_SHOWN]]


def _offered(answer: ApprovedAnswer) -> list[tuple[str, bool]]:
    """Questions beside whose answer this one was offered, and whether it was then asked."""
    taken = Turn.objects.filter(
        conversation_id=OuterRef("conversation_id"),
        number=OuterRef("number") + 1,
        text=answer.question,
    )
    rows = Turn.objects.filter(
        conversation__assistant_id=answer.assistant_id,
        conversation__is_test=False,
        created_at__gte=timezone.now() - timedelta(days=DAYS),
        trace__contains=[{"suggested": [answer.question]}],
    ).annotate(is_taken=Exists(taken))
    return [
        (text, is_taken)
        for text, is_taken in rows.order_by("-created_at").values_list("text", "is_taken")[:_LATEST]
    ]


def _gaps(answer: ApprovedAnswer) -> list[tuple[str, bool]]:
    """Open gaps of which this answer is the nearest, for an answer that is newer than they are."""
    answers = Answers(answer.assistant)
    gaps = Gap.objects.filter(assistant_id=answer.assistant_id, state=Gap.State.OPEN)
    texts = gaps.order_by(F("last_asked_at").desc()).values_list("question", flat=True)[:_GAPS]
    found = []
    for text in texts:
        near = answers.near(text)
        if near and near[0][1].id == answer.id and near[0][0] >= _NEAR:
            found.append((text, False))
    return found
