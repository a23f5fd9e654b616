"""A shop's day in a few minutes: `python tests/bench/support_day.py [--visits 300] [--seconds 240]`.

An installation of its own is started on loopback (web, workers, model server, PostgreSQL, Redis, the demo shop) and
visited over the widget's real HTTP calls by a scripted population, while three members work the inbox through its
pages, now and then two in the same conversation. No chat model is set up: facts, approved answers, quotes and people
answer. Then the ledgers of both sides are compared with the rows, and the day is counted. Fails on any message lost
or sent twice, any reply by two owners, or a first reply without a person later than two seconds at p95.

Whether a visitor was helped is judged by the shop's own figures. "Assumed" needs a day of silence: after the day the
rows' times are set back by 25 hours, and the product's own report counts.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

import httpx  # noqa: E402  the path comes first
import psutil  # noqa: E402

from tests.bench.day.costs import Assumed, costs_of, lines_of  # noqa: E402
from tests.bench.day.customers import Customer, photos_made  # noqa: E402
from tests.bench.day.ledger import Books, books_read, faults_of  # noqa: E402
from tests.bench.day.script import visits_of  # noqa: E402
from tests.bench.day.staff import Member  # noqa: E402
from tests.e2e.conftest import free_port  # noqa: E402
from tests.faults.product import Product  # noqa: E402

BAR_S = 2.0
_TABLES = {
    "conversations_conversation": ("created_at", "last_turn_at", "csat_asked_at", "waiting_since"),
    "conversations_turn": ("created_at", "finished_at"),
    "conversations_message": ("created_at",),
    "conversations_handoff": ("created_at", "taken_at", "first_reply_at", "ended_at", "promised_at"),
    "conversations_ticket": ("created_at", "closed_at"),
}  # fmt: skip


@dataclass
class Day:
    customers: list[Customer]
    members: list[Member]
    books: Books
    faults: list[str]
    report: dict[str, Any]
    tokens: int
    tokens_cost: float
    cpu_s: float

    @property
    def firsts(self) -> list[float]:
        """Seconds to the first words of answers that no person gave."""
        rungs = {turn.id: turn.rung for turn in self.books.turns}
        return sorted(
            sent.first_s
            for customer in self.customers
            for sent in customer.sent
            if sent.first_s is not None and rungs.get(sent.turn_id) != "person"
        )

    def first_at(self, share: float) -> float:
        firsts = self.firsts
        return firsts[min(len(firsts) - 1, int(len(firsts) * share))] if firsts else 0.0


def day_run(product: Product, *, visits: int, seconds: float) -> Day:
    """On a started product with the demo, once for each product."""
    os.environ["DAY_VISITS"] = str(visits)
    printed = product.manage(
        "shell", "--no-imports", "-c", "from tests.bench.day.seed import main; main()"
    )
    seeded = json.loads(printed.splitlines()[-1])
    before = _processor_s(product)
    customers, members = asyncio.run(_live(product, seeded, visits, seconds))
    books = books_read(product, seeded["tenant"])
    faults = faults_of(customers, members, books)
    cpu_s = _processor_s(product) - before
    _set_back(product, seeded["tenant"])
    tokens, cost = product.sql(
        "SELECT coalesce(sum(in_hit + in_miss + out + reasoning), 0)::bigint, coalesce(sum(cost), 0)::float"
        " FROM metering_usageevent WHERE tenant_id = %s AND created_at > now() - interval '1 hour'"
        " AND turn_id <> ''",
        seeded["tenant"],
    )[0]
    report = json.loads(
        product.manage(
            "shell", "--no-imports", "-c", "from tests.bench.day.seed import report; report()"
        ).splitlines()[-1]
    )
    return Day(customers, members, books, faults, report, int(tokens), float(cost), cpu_s)


async def _live(
    product: Product, seeded: dict[str, Any], visits: int, seconds: float
) -> tuple[list[Customer], list[Member]]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    timeout = httpx.Timeout(30, read=60)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as http:
        photos = photos_made()
        base = f"{product.url}/widget/api"
        customers = [
            Customer(visit, base, seeded["key"], http, photos) for visit in visits_of(visits)
        ]
        members = _members(product, seeded)
        over = asyncio.Event()
        desk = [asyncio.create_task(member.run(over)) for member in members]
        begun = time.monotonic()

        async def comes(customer: Customer) -> None:
            await asyncio.sleep(max(0.0, begun + customer.visit.at * seconds - time.monotonic()))
            await customer.run()

        await asyncio.gather(*(comes(customer) for customer in customers))
        over.set()
        await asyncio.wait_for(asyncio.gather(*desk), 90)
        await _come_back(customers)
        for member in members:
            await member.http.aclose()
    return customers, members


async def _come_back(customers: list[Customer]) -> None:
    """Whoever left opens the page again, reads what was written meanwhile and the answers not yet followed."""
    for at in range(0, len(customers), 8):
        await asyncio.gather(*(_catch_up(each) for each in customers[at : at + 8]))


async def _catch_up(customer: Customer) -> None:
    if not customer.conversation_id:
        return
    try:
        await customer.enter_again()
        await customer.follow_rest()
        await customer.hear(stays=False)
    except (httpx.HTTPError, OSError) as error:
        # A closed conversation that nobody asks about has no feed any more.
        if "404" not in str(error):
            customer.faults.append(f"{type(error).__name__}: {error}"[:200])


def _members(product: Product, seeded: dict[str, Any]) -> list[Member]:
    members = []
    for n, person in enumerate(seeded["staff"]):
        http = httpx.AsyncClient(
            cookies={seeded["cookie_name"]: person["cookie"]},
            headers={"X-Forwarded-For": f"10.200.0.{n + 1}"},
            timeout=30,
            trust_env=False,
        )
        pages = f"{product.url}/t/{seeded['slug']}/inbox"
        members.append(Member(person["name"], person["id"], http, pages, random.Random(n)))
    for member in members:
        member.colleagues = [each for each in members if each is not member]
    return members


def _set_back(product: Product, tenant_id: str) -> None:
    for table, columns in _TABLES.items():
        changed = ", ".join(f"{name} = {name} - interval '25 hours'" for name in columns)
        product.sql(f"UPDATE {table} SET {changed} WHERE tenant_id = %s", tenant_id)


def _processor_s(product: Product) -> float:
    total = 0.0
    for process in product.everything():
        try:
            used = process.cpu_times()
        except psutil.Error:
            continue
        total += used.user + used.system
    return total


def lines(day: Day, assumed: Assumed) -> Iterator[str]:
    messages = sum(len(customer.sent) for customer in day.customers)
    wrote = [wrote for member in day.members for wrote in member.wrote]
    lost = [w for w in wrote if w.is_race and w.status == 409]
    yield (
        f"{len(day.customers)} visitors sent {messages} messages ({sum(c.again for c in day.customers)} of them again under"
        f" their key, {sum(c.retries for c in day.customers)} refusals waited out) and"
        f" {sum(s.say.photos for c in day.customers for s in c.sent)} photos; three members wrote"
        f" {sum(w.status == 302 for w in wrote)} replies; {sum(w.is_race for w in wrote) // 2} races, {len(lost)} losers told"
    )
    claims = day.books.claims
    yield (
        f"claims opened by the assistant: {len(claims)} with {sum(c.photos for c in claims)} photos,"
        f" {sum(c.flagged for c in claims)} of them marked as sent before;"
        f" {sum(c.state == 'approved' for c in claims)} approved"
        f" ({sum(c.decided_by is not None for c in claims)} by a person's yes), {sum(m.letters for m in day.members)} letters"
    )
    yield f"faults: {len(day.faults)}" + "".join(f"\n  {fault}" for fault in day.faults[:20])
    yield (
        f"first words without a person: p50 {day.first_at(0.5):.2f} s, p95 {day.first_at(0.95):.2f} s (bar {BAR_S:g}),"
        f" slowest {day.first_at(1):.2f} s, of {len(day.firsts)}"
    )
    yield from _shares(day)
    report = day.report
    costs = costs_of(day.customers, day.members, tokens_cost=day.tokens_cost, assumed=assumed)
    yield from lines_of(
        costs,
        tokens=day.tokens,
        busy_s=report["machine_ms"] / 1000,
        cpu_s=day.cpu_s,
        confirmed=report["confirmed"],
        resolved=report["confirmed"] + report["assumed"],
        visits=len(day.customers),
        assumed=assumed,
    )


def _shares(day: Day) -> Iterator[str]:
    report = day.report
    total = max(1, report["conversations"])
    names = ("confirmed", "assumed", "reopened", "handed_over", "open")
    told = ", ".join(
        f"{name} {report[name]} ({100 * report[name] / total:.0f} %)" for name in names
    )
    yield f"the product's report of {report['conversations']} conversations: {told}"
    silent = [c for c in day.customers if not c.was_helped and not c.asked_person]
    wrong = [c for c in silent if not c.visit.is_beyond]
    asked = [c for c in day.customers if c.asked_person]
    yield (
        f"by the shop's own figures: {sum(c.was_helped for c in day.customers if not c.asked_person)} helped by the assistant,"
        f" {len(asked)} asked for a person ({sum(c.was_helped for c in asked)} got one), {len(wrong)} left unhelped without a word"
    )
    missed = Counter(
        c.visit.kind for c in day.customers if not c.was_helped and not c.visit.is_beyond
    )
    if missed:
        yield "not helped, by kind: " + ", ".join(f"{kind} {n}" for kind, n in missed.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--wage", type=float, default=Assumed.wage_per_hour)
    parser.add_argument("--list", action="store_true", help="name each visit that was not helped")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="furrow-day-"))
    product = Product(folder, free_port(), settings={"TRUSTED_PROXY_COUNT": "1"})
    try:
        started = product.start()
        _say(f"started with the demo in {started:.0f} s; load average {os.getloadavg()[0]:.1f}")
        day = day_run(product, visits=options.visits, seconds=options.seconds)
        for line in lines(day, Assumed(wage_per_hour=options.wage)):
            _say(line)
        if options.list:
            _list(day)
    finally:
        stop(product)
        shutil.rmtree(folder, ignore_errors=True)
    is_good = not day.faults and day.first_at(0.95) <= BAR_S
    sys.exit(0 if is_good else 1)


def stop(product: Product) -> None:
    is_up = product.process is not None and product.process.poll() is None
    left = product.everything() if is_up else []
    product.stop()
    for process in psutil.wait_procs(left, timeout=10)[1]:
        process.kill()


def _list(day: Day) -> None:
    for customer in day.customers:
        if not customer.was_helped:
            for sent in customer.sent:
                _say(f"{customer.visit.kind} {sent.text!r} -> {sent.answer[:110]!r}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  its purpose


if __name__ == "__main__":
    main()
