"""What the day cost, with each part, beside people alone. The assumptions are named here and printed with the result."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.day.customers import Customer
from tests.bench.day.staff import Member


@dataclass(frozen=True)
class Assumed:
    """`upkeep_minutes` is the owner's daily look at gaps and drafts; the machine is rented for the whole day."""

    wage_per_hour: float = 30.0
    reply_s: float = 60.0
    click_s: float = 10.0
    claim_s: float = 120.0
    upkeep_minutes: float = 15.0
    machine_per_day: float = 3.5
    minutes_per_chat: float = 5.0


@dataclass(frozen=True)
class Costs:
    """In yuan. `alone` are people without the assistant by the same seconds an act, `usual` by the product's own
    assumption for a conversation.
    """

    tokens: float
    machine: float
    people: float
    upkeep: float
    alone: float
    usual: float

    @property
    def together(self) -> float:
        return self.tokens + self.machine + self.people + self.upkeep

    @property
    def saved(self) -> float:
        return 1 - self.together / self.alone

    @property
    def saved_usual(self) -> float:
        return 1 - self.together / self.usual


def costs_of(
    customers: list[Customer], members: list[Member], *, tokens_cost: float, assumed: Assumed
) -> Costs:
    second = assumed.wage_per_hour / 3600
    replies = sum(wrote.status == 302 for member in members for wrote in member.wrote)
    clicks = sum(
        count
        for member in members
        for what, count in member.done.items()
        if what in {"owner", "return", "closure", "note", "photo", "yes"}
    )
    claims = sum(customer.visit.kind == "claim" for customer in customers)
    people_s = replies * assumed.reply_s + clicks * assumed.click_s + claims * assumed.claim_s
    # A person answers a burst in one go: messages that nobody waited on need no reply of their own.
    messages = sum(sent.say.waits for customer in customers for sent in customer.sent)
    alone_s = (
        messages * assumed.reply_s + len(customers) * assumed.click_s + claims * assumed.claim_s
    )
    return Costs(
        tokens=tokens_cost,
        machine=assumed.machine_per_day,
        people=people_s * second,
        upkeep=assumed.upkeep_minutes * 60 * second,
        alone=alone_s * second,
        usual=len(customers) * assumed.minutes_per_chat * 60 * second,
    )


def lines_of(
    costs: Costs, *, tokens: int, busy_s: float, cpu_s: float, confirmed: int, resolved: int,
    visits: int, assumed: Assumed,
) -> Iterator[str]:  # fmt: skip
    def each(amount: float, count: int) -> str:
        return f"{amount / count:.3f}" if count else "none"

    yield (
        f"assumed: {assumed.wage_per_hour:g} yuan an hour, {assumed.reply_s:g} s a reply, {assumed.click_s:g} s a click,"
        f" {assumed.claim_s:g} s a claim, {assumed.upkeep_minutes:g} min of upkeep a day, {assumed.machine_per_day:g}"
        " yuan for the machine's day"
    )
    yield (
        f"cost of the day: {costs.together:.2f} yuan = tokens {costs.tokens:.4f} ({tokens} tokens) + machine"
        f" {costs.machine:.2f} (answers took {busy_s:.0f} s, all processes {cpu_s:.0f} s of processor) + people"
        f" {costs.people:.2f} + upkeep {costs.upkeep:.2f}"
    )
    yield (
        f"per confirmed resolution {each(costs.together, confirmed)} yuan, per resolution (confirmed or assumed)"
        f" {each(costs.together, resolved)}, per conversation {each(costs.together, visits)}; of a confirmed one tokens"
        f" {each(costs.tokens, confirmed)}, machine {each(costs.machine, confirmed)}, people"
        f" {each(costs.people + costs.upkeep, confirmed)}"
    )
    yield (
        f"people alone: {costs.alone:.2f} yuan by the same seconds an act, so {100 * costs.saved:.1f} % saved;"
        f" {costs.usual:.2f} by {assumed.minutes_per_chat:g} min a conversation, so {100 * costs.saved_usual:.1f} %"
        " (heard in the trade: 92 %)"
    )
