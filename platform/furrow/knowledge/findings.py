"""What is in doubt in a version, with what the owner chose about such words before. Inside `tenant_tx`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from furrow.knowledge.bulk import insert_rows
from furrow.knowledge.cleaning.contradictions import Fact, contradictions, facts_of
from furrow.knowledge.cleaning.document import clean_document
from furrow.knowledge.cleaning.flag import LEFT_OUT, Flag, words_hash
from furrow.knowledge.disagreements import overlap, stated_in
from furrow.knowledge.models import Document, DocumentVersion, Finding, FindingChoice
from furrow.knowledge.parsing.document import ParsedDocument

MAX_FINDINGS = 1_000
_EXCERPT = 300


@dataclass(frozen=True)
class Review:
    """`flags` are what still counts against a passage; blocks are named by where they start."""

    findings: list[Finding] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    left_out: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()


def version_review(document: Document, version: DocumentVersion, parsed: ParsedDocument) -> Review:
    """Looks at what was read, also beside the other documents of the base, and notes its facts on the version."""
    facts = facts_of(parsed)
    flags = clean_document(parsed, timezone.localdate())
    flags += contradictions(facts, _other_facts(document))
    choices = _choices(document.knowledge_base_id, flags, parsed)
    states = {
        flag: _state(flag, words_hash(flag.code, _words(parsed, flag)), choices) for flag in flags
    }
    kept = [flag for flag, state in states.items() if state == Finding.State.KEPT]
    chosen = [
        flag
        for flag, state in states.items()
        if state == Finding.State.REMOVED
        and flag.code != "running"
        and _is_chosen(flag, parsed, choices)
    ]
    left_out = _blocks_under(parsed, chosen)
    version.stages["facts"] = [list(fact) for fact in _heard(facts, parsed, left_out)]
    return Review(
        _rows(document, version, parsed, states),
        [flag for flag in flags if flag not in kept],
        left_out,
        _blocks_under(parsed, kept),
    )


def _heard(facts: Iterable[Fact], parsed: ParsedDocument, left_out: frozenset[int]) -> list[Fact]:
    """What the document still states; words that were left out contradict nobody."""
    silent = [block for block in parsed.blocks if block.start in left_out]
    return [
        fact
        for fact in facts
        if not any(fact.start < block.end and fact.end > block.start for block in silent)
    ]


def findings_replace(version: DocumentVersion, findings: Sequence[Finding]) -> None:
    Finding.objects.filter(version=version).delete()
    insert_rows(findings)


def _other_facts(document: Document) -> dict[str, list[Fact]]:
    return {
        other.document.title: list(other.facts)
        for other in stated_in(document.knowledge_base_id)
        if other.document.id != document.id and overlap(document, other.document)
    }


def _choices(
    knowledge_base_id: UUID, flags: Iterable[Flag], parsed: ParsedDocument
) -> dict[str, str]:
    hashes = {words_hash(flag.code, _words(parsed, flag)) for flag in flags}
    rows = FindingChoice.objects.filter(knowledge_base_id=knowledge_base_id, sha256__in=hashes)
    return dict(rows.values_list("sha256", "state"))


def _state(flag: Flag, sha256: str, choices: Mapping[str, str]) -> str:
    usual = Finding.State.REMOVED if flag.code in LEFT_OUT else Finding.State.OPEN
    return choices.get(sha256, usual)


def _is_chosen(flag: Flag, parsed: ParsedDocument, choices: Mapping[str, str]) -> bool:
    return words_hash(flag.code, _words(parsed, flag)) in choices


def _words(parsed: ParsedDocument, flag: Flag) -> str:
    return parsed.text[flag.start : flag.end]


def _blocks_under(parsed: ParsedDocument, flags: Sequence[Flag]) -> frozenset[int]:
    """Where blocks start that a flag covers nearly whole; a sentence of a paragraph takes the paragraph along."""
    return frozenset(
        block.start
        for block in parsed.blocks
        for flag in flags
        if flag.start < block.end and flag.end > block.start
    )


def _rows(
    document: Document,
    version: DocumentVersion,
    parsed: ParsedDocument,
    states: Mapping[Flag, str],
) -> list[Finding]:
    """One row for the same words of a kind, with how often they stand there."""
    pages = {block.start: block.page for block in parsed.blocks}
    rows: dict[str, Finding] = {}
    for flag, state in states.items():
        words = _words(parsed, flag)
        sha256 = words_hash(flag.code, words)
        if sha256 in rows:
            rows[sha256].reason["times"] += 1
            continue
        rows[sha256] = Finding(
            knowledge_base_id=document.knowledge_base_id,
            document_id=document.id,
            version_id=version.id,
            kind=flag.code,
            reason={"text": flag.reason, "detail": flag.detail[:200], "times": 1},
            score=flag.score,
            start=flag.start,
            end=flag.end,
            page=pages.get(flag.start),
            excerpt=words[:_EXCERPT],
            sha256=sha256,
            state=state,
        )
    return list(rows.values())[:MAX_FINDINGS]
