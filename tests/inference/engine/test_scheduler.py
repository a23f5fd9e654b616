"""The scheduler driven without a model: whatever comes, budgets hold and everyone is served."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine.fairness import MISS_WEIGHT, OUT_WEIGHT
from inference.engine.kv_blocks import BlockPool
from inference.engine.request import Ending, FinishReason, Priority, Request, Sampling, State
from inference.engine.scheduler import Scheduler, SchedulerLimits

BLOCK = 2


class World:
    """Runs plans as an engine would: each slice that reaches its end samples one token."""

    def __init__(self, blocks: int = 32, **limits: int | None) -> None:
        self.pool = BlockPool(blocks, BLOCK)
        self.limits = SchedulerLimits(**{"step_tokens": 8, "sequences": 4} | limits)
        self.scheduler = Scheduler(self.pool, self.limits)
        self.now = 0.0
        self.given: dict[str, int] = {}
        self.open: list[Request] = []

    def ask(self, prompt: list[int], tokens: int, **fields: object) -> Request:
        request = Request("r", [prompt], Sampling(), Ending(max_tokens=tokens), **fields)
        self.open.append(request)
        for sequence in request.sequences:
            self.scheduler.add(sequence, self.now)
        return request

    def abort(self, request: Request) -> None:
        for sequence in request.sequences:
            if sequence.state is not State.FINISHED:
                self.scheduler.finish(sequence, FinishReason.CANCELLED)
        self.open.remove(request)

    def step(self) -> int:
        plan = self.scheduler.plan(self.now)
        self.now += 0.1
        assert sum(part.tokens for part in plan) <= self.limits.step_tokens
        assert len(self.scheduler.running) <= self.limits.sequences
        for part in plan:
            sequence = part.sequence
            assert sequence.state is State.RUNNING
            assert part.start == sequence.computed < part.end <= len(sequence.ids)
            assert len(sequence.blocks) * BLOCK >= part.end
            self.scheduler.launched(part)
            sequence.counted = max(sequence.counted, min(part.end, sequence.prompt_len))
            if part.samples:
                sequence.ids.append(part.end % 3)
                self.scheduler.sampled(sequence, 1)
                self.given[sequence.tenant] = self.given.get(sequence.tenant, 0) + OUT_WEIGHT
            self.scheduler.advance(part, 0)
            if sequence.sampled >= sequence.request.ending.max_tokens:
                self.scheduler.finish(sequence, FinishReason.LENGTH)
                if sequence.request.is_finished:
                    self.open.remove(sequence.request)
        self.check()
        return len(plan)

    def check(self) -> None:
        self.pool.check_integrity()
        held = {block for one in self.scheduler.running for block in one.blocks}
        assert self.pool.used == len(held)
        tenants = {one.tenant for one in self.scheduler.running}
        for name in tenants:
            own = [one for one in self.scheduler.running if one.tenant == name]
            most = self.limits.tenant_sequences
            assert most is None or len(own) <= most
            most = self.limits.tenant_blocks
            assert most is None or len(own) == 1 or sum(len(o.blocks) for o in own) <= most

    def finish(self) -> None:
        for _ in range(5000):
            if not self.scheduler.has_work:
                break
            assert self.step()
        assert not self.open
        assert self.pool.used == 0


REQUESTS = st.fixed_dictionaries(
    {
        "prompt": st.lists(st.integers(0, 2), min_size=1, max_size=20),
        "tokens": st.integers(1, 12),
        "tenant": st.sampled_from("abc"),
        "salt": st.sampled_from([b"", b"x"]),
        "priority": st.sampled_from(list(Priority)),
        "choices": st.integers(1, 3),
    }
)
MOVES = st.lists(
    st.one_of(REQUESTS, st.integers(1, 5), st.just("abort"), st.just("long wait")), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(
    moves=MOVES,
    blocks=st.integers(16, 40),
    step_tokens=st.integers(8, 24),
    sequences=st.integers(1, 4),
    tenant_sequences=st.sampled_from([None, 1, 2]),
    tenant_blocks=st.sampled_from([None, 6, 12]),
)
def test_budgets_hold_no_block_is_lost_and_all_finish(moves, blocks, **limits) -> None:
    world = World(blocks, **limits)
    for move in moves:
        if isinstance(move, dict):
            world.ask(**move)
        elif isinstance(move, int):
            for _ in range(move):
                world.step()
        elif move == "abort" and world.open:
            world.abort(world.open[len(world.open) // 2])
            world.check()
        elif move == "long wait":
            world.now += 50
    world.finish()


def test_a_long_prompt_is_cut_and_decoding_goes_on_beside_it() -> None:
    world = World(64)
    short = world.ask([1, 2], 20).sequences[0]
    world.step()
    long = world.ask(list(range(30)), 1).sequences[0]
    before = short.sampled
    for steps in range(1, 5):
        world.step()
        assert short.sampled == before + steps
        assert long.computed == 7 * steps


def test_a_known_prefix_is_not_computed_again_but_its_last_token_is() -> None:
    world = World()
    prompt = [1, 2, 0, 1, 2, 0]
    world.ask(prompt, 1)
    world.finish()
    second = world.ask(prompt, 1).sequences[0]
    part = world.scheduler.plan(world.now)[0]
    assert (part.sequence, part.start, part.end) == (second, 4, 6)


def test_another_salt_finds_nothing() -> None:
    world = World()
    world.ask([1, 2, 0, 1, 2], 1, salt=b"a")
    world.finish()
    world.ask([1, 2, 0, 1, 2], 1, salt=b"b")
    assert world.scheduler.plan(world.now)[0].start == 0


def test_siblings_wait_for_their_leader_and_share_its_blocks() -> None:
    world = World()
    request = world.ask(list(range(9)), 9, choices=3)
    assert [part.sequence.index for part in world.scheduler.plan(0)] == [0]
    for _ in range(3):
        world.step()
    leader, *siblings = request.sequences
    assert leader.blocks
    assert all(one.blocks[:4] == leader.blocks[:4] for one in siblings)


def test_the_youngest_of_the_lowest_class_gives_way() -> None:
    world = World(8, step_tokens=32)
    low = world.ask([1] * 6, 8, priority=Priority.BATCH).sequences[0]
    world.step()
    high = world.ask([2] * 6, 8, priority=Priority.INTERACTIVE).sequences[0]
    while high.state is not State.FINISHED:
        world.step()
    assert high.preemptions == 0
    assert low.preemptions > 0
    world.finish()
    assert low.sampled == 8


def test_an_interactive_request_takes_the_place_of_a_batch_one() -> None:
    world = World(sequences=1)
    low = world.ask([1] * 4, 8, priority=Priority.BATCH).sequences[0]
    world.step()
    high = world.ask([2] * 4, 2, priority=Priority.INTERACTIVE).sequences[0]
    world.step()
    assert (high.state, low.state) == (State.RUNNING, State.WAITING)
    world.finish()


def test_batch_work_is_not_starved_by_a_stream_of_interactive_requests() -> None:
    world = World(sequences=1)
    low = world.ask([1] * 4, 2, priority=Priority.BATCH).sequences[0]
    for _ in range(1500):
        if len(world.open) < 4:
            world.ask([2] * 4, 2, priority=Priority.INTERACTIVE)
        world.step()
        if low.state is State.FINISHED:
            break
    assert low.state is State.FINISHED
    assert world.now < 60


@settings(max_examples=30, deadline=None)
@given(
    quick=st.tuples(st.integers(1, 12), st.integers(1, 10)),
    slow=st.tuples(st.integers(1, 12), st.integers(1, 10)),
    flood=st.integers(4, 12),
)
@pytest.mark.slow
def test_the_gap_between_two_busy_tenants_is_bounded(quick, slow, flood) -> None:
    world = World(24, step_tokens=16, sequences=3)
    shapes = {"a": quick, "b": slow}

    def top_up() -> None:
        for name, depth in (("a", flood), ("b", 4)):
            prompt, tokens = shapes[name]
            while sum(one.tenant == name for one in world.open) < depth:
                salt = str(world.scheduler._arrivals).encode()
                world.ask([1] * prompt, tokens, tenant=name, salt=salt)

    top_up()
    counters = world.scheduler.queue._tenants
    bound = 2 * max(
        MISS_WEIGHT * max(p for p, _ in shapes.values()),
        OUT_WEIGHT * world.limits.sequences * max(t for _, t in shapes.values())
        + MISS_WEIGHT * world.limits.sequences * max(p for p, _ in shapes.values()),
    )
    for _ in range(150):
        world.step()
        top_up()
        assert abs(counters["a"].counter - counters["b"].counter) <= bound


def test_a_returning_tenant_gets_no_credit_for_its_absence() -> None:
    world = World()
    world.ask([1], 1, tenant="away")
    world.finish()
    for _ in range(10):
        world.ask([1] * 4, 5, tenant="busy")
    for _ in range(10):
        world.step()
    world.ask([1], 1, tenant="away")
    tenants = world.scheduler.queue._tenants
    assert tenants["away"].counter == tenants["busy"].counter
    world.finish()


def test_coming_and_going_does_not_wipe_out_what_was_given() -> None:
    world = World()
    world.ask([1] * 4, 30, tenant="other")
    world.step()
    world.ask([1] * 8, 6, tenant="hopper")
    while len(world.open) > 1:
        world.step()
    before = world.scheduler.queue._tenants["hopper"].counter
    world.ask([1], 1, tenant="hopper")
    assert world.scheduler.queue._tenants["hopper"].counter == before
    world.finish()


def test_a_step_too_small_for_its_sequences_is_refused() -> None:
    with pytest.raises(ValueError, match="two tokens"):
        SchedulerLimits(step_tokens=8, sequences=5)


def test_prompts_are_kept_as_compact_numbers() -> None:
    request = Request("r", [[1, 2]], Sampling(), Ending(max_tokens=1))
    assert request.sequences[0].ids == array("q", [1, 2])
