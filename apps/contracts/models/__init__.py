"""Tables of contract review: contracts, playbooks, reviews and what people decide, and the law library."""

from apps.contracts.models.contracts import (
    ClauseSpan,
    Contract,
    ContractVersion,
    Kind,
    Level,
    Obligation,
    Side,
)
from apps.contracts.models.inquiries import Inquiry, InquiryAnswer
from apps.contracts.models.laws import LawArticle
from apps.contracts.models.playbooks import Playbook, PlaybookVersion, Rule, RuleKind
from apps.contracts.models.reviews import Decision, Finding, ReviewRun, Strength

__all__ = [
    "ClauseSpan",
    "Contract",
    "ContractVersion",
    "Decision",
    "Finding",
    "Inquiry",
    "InquiryAnswer",
    "Kind",
    "LawArticle",
    "Level",
    "Obligation",
    "Playbook",
    "PlaybookVersion",
    "ReviewRun",
    "Rule",
    "RuleKind",
    "Side",
    "Strength",
]
