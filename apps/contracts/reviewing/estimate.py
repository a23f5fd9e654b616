"""What the language model would cost for a review, before anybody pays for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from apps.contracts.asking.provision import ANSWER_TOKENS, provision_messages
from apps.contracts.models import ContractVersion
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.reviewing.open_rules import open_rules
from apps.contracts.reviewing.source import read_of
from furrow.gateway.usage import TextWeight
from furrow.metering.balances import account_read
from furrow.metering.errors import PriceUnknown
from furrow.metering.money import exact, tokens_cost
from furrow.metering.prices import prices_now

# What a chat template puts around a call.
_AROUND = 48
# A page waits for this: of a longer contract every rule counts, with five passages of the greatest length.
_MOST_CHARACTERS, _LONGEST = 200_000, 8_000


@dataclass(frozen=True)
class Estimate:
    """`rules` that would be asked and the tokens they would take at most; `amount` is None where the model has no
    price, and then it is not asked.
    """

    rules: int
    input_tokens: int
    output_tokens: int
    amount: Decimal | None
    currency: str


def review_estimate(
    version: ContractVersion, specs: Sequence[RuleSpec], *, side: str
) -> Estimate | None:
    """At most: nothing cached, every answer of full length. None while the file is not read. Inside `tenant_tx`."""
    if version.state != ContractVersion.State.READY:
        return None
    language = "zh" if version.language == "zh" else "en"
    types = frozenset(version.clauses.values_list("kind", flat=True))
    if len(version.text) > _MOST_CHARACTERS:
        return priced(len(specs), len(specs) * _LONGEST, len(specs) * ANSWER_TOKENS)
    found = open_rules(read_of(version), specs, language=language, types=types)
    weights = [
        _AROUND
        + _tokens(
            provision_messages(
                rule.spec, rule.passages, side=side, language=language, reader=language
            )
        )
        for rule in found
    ]
    return priced(len(found), sum(weights), len(found) * ANSWER_TOKENS)


def priced(rules: int, input_tokens: int, output_tokens: int) -> Estimate:
    currency = account_read().currency
    try:
        prices = prices_now(model=settings.CHAT_MODEL, kind="chat", currency=currency).buckets
    except PriceUnknown:
        return Estimate(rules, input_tokens, output_tokens, None, currency)
    amount = exact(
        tokens_cost(input_tokens, prices["in_miss"].per_million)
        + tokens_cost(output_tokens, prices["out"].per_million)
    )
    return Estimate(rules, input_tokens, output_tokens, amount, currency)


def _tokens(messages: Sequence[dict[str, str]]) -> int:
    weight = TextWeight()
    for message in messages:
        weight.add(message["content"])
    return weight.tokens
