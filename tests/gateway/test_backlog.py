"""Callers that ask faster than money is booked wait; none is refused and none waits for ever."""

import asyncio

import pytest

from furrow.gateway.backlog import Backlog


async def calls(backlog: Backlog, callers: int, each: int) -> tuple[int, int]:
    """Closed loops whose calls take no time and whose settlement is slow; how many ended, and the most behind."""
    done, most = 0, 0

    async def settle() -> None:
        nonlocal done, most
        async with backlog.settling():
            most = max(most, backlog.behind)
            await asyncio.sleep(0.0005)
        done += 1

    async def caller() -> None:
        for _ in range(each):
            await backlog.room()
            settlements.append(asyncio.ensure_future(settle()))
            await asyncio.sleep(0)

    settlements: list[asyncio.Future[None]] = []
    await asyncio.gather(*(caller() for _ in range(callers)))
    await asyncio.gather(*settlements)
    return done, most


def test_callers_that_never_rest_are_slowed_down():
    backlog = Backlog(most=20, few=10)
    done, most = asyncio.run(asyncio.wait_for(calls(backlog, 16, 50), 10))
    assert done == 16 * 50
    # Those already on their way when admission stops come on top.
    assert 20 <= most <= 20 + 16
    assert backlog.behind == 0


def test_one_who_leaves_while_waiting_takes_nobodys_turn():
    async def story() -> None:
        backlog = Backlog(most=1, few=0)
        async with backlog.settling():
            gone, stays = (asyncio.ensure_future(backlog.room()) for _ in range(2))
            await asyncio.sleep(0)
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
            assert not stays.done()
        await asyncio.wait_for(stays, 1)
        await asyncio.wait_for(backlog.room(), 1)

    asyncio.run(story())
