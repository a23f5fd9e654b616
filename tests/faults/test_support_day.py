"""A small simulated day of a shop: nothing is lost or said twice, and no two speak in one conversation.

The whole day, with its costs, is `tests/bench/support_day.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.bench.day.ledger import faults_of
from tests.bench.support_day import Day, day_run
from tests.faults.product import Product, bar

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
VISITS = 20


@pytest.fixture(scope="module")
def day(product: Product) -> Day:
    # In a thread of its own: a browser of the tests before may have left an event loop in this one.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(day_run, product, visits=VISITS, seconds=20).result()


def test_a_days_messages_are_told_once_to_each_side(day: Day) -> None:
    assert day.faults == []
    assert len(day.customers) == VISITS
    assert sum(len(customer.heard) for customer in day.customers) > 0
    assert day.books.claims


def test_answers_without_a_person_come_soon(day: Day) -> None:
    assert day.first_at(0.95) <= bar(2.0)


def test_the_report_counts_the_day(day: Day) -> None:
    report = day.report
    assert report["conversations"] == VISITS
    solved = report["confirmed"] + report["assumed"] + report["reopened"]
    assert solved + report["handed_over"] <= VISITS
    assert report["confirmed"] > 0
    assert report["handed_over"] > 0


def test_the_comparison_notices_what_is_missing_or_too_much(day: Day) -> None:
    """A ledger that finds no fault in a falsified day would find none in a broken one."""
    books = day.books
    lost = replace(books, turns=books.turns[1:])
    twice = replace(books, turns=[*books.turns, replace(books.turns[0], id="another")])
    staff = [word for word in books.words if word.kind == "staff"]
    unheard = replace(books, words=[word for word in books.words if word.id != staff[0].id])
    stolen = replace(books, words=[replace(word, author_id="nobody") for word in books.words])
    unclaimed = replace(books, claims=[])
    for wrong in (lost, twice, unheard, stolen, unclaimed):
        assert len(faults_of(day.customers, day.members, wrong)) > len(day.faults)
