"""The rungs the platform brings along. Only `composed` needs a language model."""

from furrow.assistants.ladder import Rung
from furrow.assistants.rungs.approved import ApprovedRung
from furrow.assistants.rungs.composed import ComposedRung
from furrow.assistants.rungs.fact import FactRung
from furrow.assistants.rungs.greeting import GreetingRung
from furrow.assistants.rungs.human import HumanRung
from furrow.assistants.rungs.quoted import QuotedRung


def all_rungs() -> tuple[Rung, ...]:
    return (GreetingRung(), ApprovedRung(), FactRung(), ComposedRung(), QuotedRung(), HumanRung())
