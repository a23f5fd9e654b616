"""Shapes of what comes in and goes out under /api/v1/contracts/."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import StringConstraints

from furrow.api.schemas import Name, Strict, Title

SideText = Literal["neutral", "first", "second"]
StrengthText = Literal["risk", "balanced", "full"]
KindText = Literal["", "sale", "lease", "labour", "service", "loan", "nda", "agency", "software"]
LevelText = Literal["high", "medium", "low"]
Long = Annotated[str, StringConstraints(max_length=10_000)]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class ContractPatch(Strict):
    title: Title | None = None
    kind: KindText | None = None
    side: SideText | None = None


class BothIn(Strict):
    """Words in either language, or both."""

    zh: Annotated[str, StringConstraints(max_length=4000)] = ""
    en: Annotated[str, StringConstraints(max_length=4000)] = ""


class TermsIn(Strict):
    """`words` are what is looked for; "…" in a phrase leaves room. `min` and `max` are in `unit`."""

    words: list[Phrase] = Field([], max_length=60)
    unless: list[Phrase] = Field([], max_length=60)
    place: list[Phrase] = Field([], max_length=20)
    types: list[Phrase] = Field([], max_length=20)
    unit: Literal["percent", "money", "days", "months"] | None = None
    min: Decimal | None = None
    max: Decimal | None = None


class StatuteIn(Strict):
    law: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    article: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class RuleIn(Strict):
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,50}$")] | None = None
    check_kind: Literal["must_have", "must_not", "threshold", "numeric", "template"]
    side: SideText = "neutral"
    level: LevelText = "medium"
    name: BothIn
    note: BothIn = Field(default_factory=BothIn)
    fallback: BothIn = Field(default_factory=BothIn)
    terms: TermsIn
    statutes: list[StatuteIn] = Field([], max_length=12)


class PlaybookIn(Strict):
    name: Name
    kind: KindText = ""
    rules: list[RuleIn] = Field(max_length=1000)


class PlaybookPatch(Strict):
    """With `rules` a new version is made; without, the rules stay."""

    name: Name | None = None
    kind: KindText | None = None
    rules: list[RuleIn] | None = Field(None, max_length=1000)
    note: Annotated[str, StringConstraints(max_length=200)] = ""


class RunIn(Strict):
    """Without `playbook_id` the playbook that fits the kind is taken; with `rules` only these of its keys.
    `playbook_id` null with `has_playbook` false reviews by the built-in checks alone. With `has_model` the rules
    that words cannot settle are put to the language model, and paid for.
    """

    side: SideText = "neutral"
    strength: StrengthText = "balanced"
    playbook_id: UUID | None = None
    has_playbook: bool = True
    rules: list[str] | None = Field(None, max_length=1000)
    has_checks: bool = True
    has_model: bool = False
    version: int | None = Field(None, ge=1)


class QuestionIn(Strict):
    """Over the contracts named, or over all. With `has_model` a language model writes, and is paid for."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
    contract_ids: list[UUID] = Field([], max_length=60)
    has_model: bool = False


class DecisionIn(Strict):
    state: Literal["open", "accepted", "edited", "rejected"] | None = None
    text: Long | None = None
    comment: Long | None = None
    feedback: Literal["", "right", "wrong"] | None = None
    assignee: Annotated[str, StringConstraints(max_length=254)] | None = None


class CompareIn(Strict):
    """The newest version of the contract, or `version`, with `other_version` of it or of another contract."""

    contract_id: UUID
    version: int | None = Field(None, ge=1)
    other_contract_id: UUID | None = None
    other_version: int | None = Field(None, ge=1)


class Party(Schema):
    roles: list[str]
    name: str
    start: int
    end: int


class Fault(Schema):
    code: str
    message: str


class Facts(Schema):
    """Read by rules; null where the text does not tell."""

    name: str | None = None
    made_on: date | None = None
    effective_on: date | None = None
    ends_on: date | None = None
    law: str | None = None


class Version(Schema):
    number: int
    state: str
    file_name: str
    size_bytes: int
    sha256: str
    page_count: int
    language: str
    parties: list[Party]
    facts: Facts
    error: Fault | None
    created_at: datetime


class Contract(Schema):
    id: UUID
    title: str
    kind: str
    side: str
    risk: str
    open_count: int
    version: Version
    created_at: datetime


class ContractShort(Schema):
    id: UUID
    title: str
    kind: str
    side: str
    risk: str
    open_count: int
    next_due: date | None
    state: str
    created_at: datetime


class Stage(Schema):
    name: str
    state: str
    done: int | None
    total: int | None


class Amount(Schema):
    amount: str
    currency: str


class Estimate(Schema):
    """At most. `cost` is null where the model has no price; it is not asked then."""

    has_model: bool
    rules: int
    input_tokens: int
    output_tokens: int
    cost: Amount | None


class ModelPart(Schema):
    """What the language model was asked: `overruled` where a phrase or a sure classifier had settled it, `distrusted`
    where a passage gives orders to programs. `reason` is `budget` or `unavailable` when it ended early.
    """

    asked: int
    found: int
    cleared: int
    overruled: int
    distrusted: int
    unquoted: int
    reason: str
    usage: dict[str, int]
    cost: Amount


class Run(Schema):
    id: UUID
    contract_id: UUID
    version: int
    state: str
    side: str
    strength: str
    playbook_id: UUID | None
    playbook_version: int | None
    stages: list[Stage]
    findings: dict[str, int]
    passed: int
    dropped: int
    model: ModelPart | None
    error: Fault | None
    created_at: datetime
    finished_at: datetime | None


class Statute(Schema):
    law: str
    article: str
    version: str
    text: str


class Finding(Schema):
    id: UUID
    rule: str
    source: str
    level: str
    is_passed: bool
    title: str
    message: str
    advice: str
    quote: str
    start: int
    end: int
    page: int | None
    paragraph: int | None
    clause: str
    suggestion: str | None
    confidence: float
    statutes: list[Statute]
    state: str
    comment: str
    feedback: str
    assignee: str
    decided_at: datetime | None


class AssignedFindings(Schema):
    contract_id: UUID
    title: str
    findings: list[Finding]


class AnswerLine(Schema):
    """`quote` stands in the text of the version between `start` and `end`; `text` is what a model wrote of it, or empty."""

    text: str
    quote: str
    start: int
    end: int
    page: int | None
    paragraph: int
    clause: str


class FileAnswer(Schema):
    """What one contract says, and of no other. `alike` are contracts that read nearly the same."""

    contract_id: UUID
    title: str
    version: int
    source: str
    lines: list[AnswerLine]
    alike: list[UUID]


class Question(Schema):
    """`others` were looked at and say nothing of it. `note` is `budget` or `unavailable` where the model did not write."""

    id: UUID
    text: str
    state: str
    done: int
    total: int
    answers: list[FileAnswer]
    others: int
    dropped: int
    note: str
    cost: Amount
    created_at: datetime


class Obligation(Schema):
    id: UUID
    contract_id: UUID
    what: str
    due_on: date
    who: str
    reckoned: str
    quote: str
    start: int
    end: int
    page: int | None
    is_done: bool


class Change(Schema):
    kind: str
    text: str


class Pair(Schema):
    """`state` is `same`, `changed`, `moved`, `added` or `removed`; starts count in the texts of the two versions."""

    state: str
    head: str
    start: int | None
    other_start: int | None
    changes: list[Change]


class Rule(Schema):
    key: str
    check_kind: str
    side: str
    level: str
    name: dict[str, str]
    note: dict[str, str]
    fallback: dict[str, str]
    terms: dict[str, Any]
    statutes: list[dict[str, str]]


class PlaybookShort(Schema):
    id: UUID
    name: str
    kind: str
    starter: str


class Playbook(PlaybookShort):
    version: int
    rules: list[Rule]
