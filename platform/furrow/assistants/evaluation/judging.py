"""Whether an answer is what was expected, decided by rules and explained line by line. No model is asked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from furrow.assistants.evaluation.canonical import holds, tokens_of
from furrow.assistants.evaluation.models import GoldenQuestion

Expects = GoldenQuestion.Expects


@dataclass(frozen=True)
class Expectation:
    """`facts`: one wording of each inner tuple must stand in the answer; `forbidden`: none of these may."""

    expects: str = Expects.ANSWER
    facts: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    document_id: str = ""
    document_title: str = ""
    page: int | None = None
    rung: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> "Expectation":
        facts = tuple(tuple(wordings) for wordings in data.get("facts", ()))
        rest = {name: value for name, value in data.items() if name not in {"facts", "forbidden"}}
        return cls(facts=facts, forbidden=tuple(data.get("forbidden", ())), **rest)

    @classmethod
    def of_golden(cls, row: GoldenQuestion) -> "Expectation":
        return cls(
            expects=row.expects,
            facts=tuple(tuple(wordings) for wordings in row.facts),
            forbidden=tuple(row.forbidden),
            document_id=str(row.document_id or ""),
            document_title=row.document.title if row.document else "",
            page=row.page,
            rung=row.rung,
        )


@dataclass(frozen=True)
class Said:
    """What an assistant said, as far as it is judged."""

    rung: str
    text: str
    citations: Sequence[dict[str, Any]] = ()
    is_gap: bool = False
    opens_ticket: bool = False


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `kind` says what, `wanted` and `found` are words for a person."""

    kind: str
    is_ok: bool
    wanted: str = ""
    found: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    checks: tuple[Check, ...] = field(default=())

    @property
    def is_passed(self) -> bool:
        return all(check.is_ok for check in self.checks)

    @property
    def checks_json(self) -> list[dict[str, Any]]:
        return [check.as_json() for check in self.checks]


def judge(expectation: Expectation, said: Said) -> Verdict:
    """Every check is made, also after one has failed: the owner sees all that is wrong at once."""
    checks = [_outcome(expectation, said)]
    if expectation.rung:
        checks.append(
            Check("rung", said.rung == expectation.rung, expectation.rung, found=said.rung)
        )
    tokens = tokens_of(said.text)
    checks += [_fact(wordings, tokens) for wordings in expectation.facts]
    checks += [
        Check("forbidden", not holds(tokens, tokens_of(text)), wanted=text)
        for text in expectation.forbidden
    ]
    if expectation.document_id:
        checks.append(_document(expectation, said))
    return Verdict(tuple(checks))


def outcome_of(said: Said) -> str:
    """What kind of answer it was: `answer`, `refusal` or `handover`."""
    if said.is_gap:
        return str(Expects.REFUSAL)
    return str(Expects.HANDOVER if said.opens_ticket or said.rung == "human" else Expects.ANSWER)


def _outcome(expectation: Expectation, said: Said) -> Check:
    found = outcome_of(said)
    return Check("outcome", found == expectation.expects, str(expectation.expects), found)


def _fact(wordings: Sequence[str], tokens: tuple[str, ...]) -> Check:
    found = next((text for text in wordings if holds(tokens, tokens_of(text))), None)
    return Check("fact", found is not None, " | ".join(wordings), found or "")


def _document(expectation: Expectation, said: Said) -> Check:
    """The page counts only together with its document. A document that has no pages has page None."""
    cited = [
        (str(c["document_id"]), c.get("page"), str(c.get("title", ""))) for c in said.citations
    ]
    is_ok = any(
        document_id == expectation.document_id and expectation.page in {None, page}
        for document_id, page, _ in cited
    )
    wanted = _place(expectation.document_title, expectation.page)
    found = ", ".join(dict.fromkeys(_place(title, page) for _, page, title in cited))
    return Check("document", is_ok, wanted, found)


def _place(title: str, page: int | None) -> str:
    return f"{title} #{page}" if page else title
