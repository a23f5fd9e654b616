"""The rungs the platform brings along. None of them needs a language model."""

from furrow.assistants.ladder import Rung
from furrow.assistants.rungs.approved import ApprovedRung
from furrow.assistants.rungs.greeting import GreetingRung
from furrow.assistants.rungs.human import HumanRung
from furrow.assistants.rungs.quoted import QuotedRung


def all_rungs() -> tuple[Rung, ...]:
    return (GreetingRung(), ApprovedRung(), QuotedRung(), HumanRung())
