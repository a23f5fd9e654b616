"""Readers of an answer: many, late, resuming, gone; and what they see when Redis or a worker is lost."""

import json
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.test import RequestFactory
from django.utils import timezone

from furrow.conversations import streams
from furrow.conversations.models import Turn
from furrow.conversations.services import wait_for_turn
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.core.redis import sync_redis


def ids(frames):
    return [frame.split("\n", 1)[0].removeprefix("id: ") for frame in frames]


def data(frame):
    line = next(line for line in frame.splitlines() if line.startswith("data: "))
    return json.loads(line.removeprefix("data: "))


def expire_lease(chat):
    with tenant_tx(chat.tenant_id):
        Job.objects.filter(state="running").update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
    return jobs.sweep()


def test_deltas_joined_are_the_answer(chat, event_names):
    turn = chat.ask("到北京的运费多少")
    frames = chat.frames(turn)
    names = event_names(frames)
    assert names[0] == "status"
    assert names[-2:] == ["answer", "done"]
    deltas = [data(f)["text"] for f, name in zip(frames, names, strict=True) if name == "delta"]
    assert "".join(deltas) == turn.answer
    assert data(frames[-2])["text"] == turn.answer


def test_every_reader_sees_the_same_and_a_late_one_sees_all(bare_chat):
    turn = bare_chat.ask("你好")
    first = bare_chat.frames(turn)
    assert len(first) >= 3
    assert bare_chat.frames(turn) == first


def test_reader_resumes_after_the_last_event_it_saw(bare_chat):
    turn = bare_chat.ask("你好")
    frames = bare_chat.frames(turn)
    seen = bare_chat.frames(turn, limit=1)
    assert seen == frames[:1]
    assert bare_chat.frames(turn, last_event_id=ids(frames)[0]) == frames[1:]


@pytest.mark.parametrize("last_event_id", ["rubbish", "-", "1-1; DROP", "$"])
def test_unknown_event_id_starts_from_the_beginning(bare_chat, last_event_id):
    turn = bare_chat.ask("你好")
    assert bare_chat.frames(turn, last_event_id) == bare_chat.frames(turn)


def test_reader_that_saw_the_end_is_told_so_again_instead_of_hanging(bare_chat, event_names):
    turn = bare_chat.ask("你好")
    last = ids(bare_chat.frames(turn))[-1]
    assert event_names(bare_chat.frames(turn, last_event_id=last)) == ["answer", "done"]


def test_lost_stream_is_answered_from_the_row(bare_chat, event_names):
    turn = bare_chat.ask("你好")
    sync_redis().flushdb()
    frames = bare_chat.frames(turn)
    assert event_names(frames) == ["answer", "done"]
    assert data(frames[0])["text"] == turn.answer


def test_stream_of_an_unknown_turn_ends_with_an_error(bare_chat, cast, event_names):
    turn = bare_chat.ask("你好")
    bare_chat.tenant_id = cast.other_tenant.id
    frames = bare_chat.frames(turn)
    assert event_names(frames) == ["error"]
    assert data(frames[0])["code"] == "not_found"


def test_stream_expires_and_stays_small(bare_chat):
    turn = bare_chat.ask("你好")
    key = streams.stream_key(bare_chat.tenant_id, turn.id)
    assert 0 < sync_redis().ttl(key) <= streams.LIFETIME_S
    for _ in range(streams.MAX_EVENTS * 2):
        streams.publish(bare_chat.tenant_id, turn.id, "delta", {"text": "x"})
    assert sync_redis().xlen(key) < streams.MAX_EVENTS * 1.2


def test_event_data_cannot_break_out_of_its_frame(bare_chat):
    turn = bare_chat.ask("你好")
    sync_redis().flushdb()
    streams.publish(bare_chat.tenant_id, turn.id, "delta", {"text": "a\n\nevent: done\ndata: {}"})
    (frame,) = bare_chat.frames(turn, limit=1)
    assert frame.count("\n") == 4
    assert data(frame)["text"].startswith("a\n\n")


def test_events_of_a_run_that_was_taken_over_are_not_shown(bare_chat, event_names):
    turn = bare_chat.post("你好")
    tenant_id = bare_chat.tenant_id
    streams.publish(tenant_id, turn.id, "delta", {"text": "old"}, attempt=1)
    streams.publish(tenant_id, turn.id, "reset", {}, attempt=2)
    streams.publish(tenant_id, turn.id, "delta", {"text": "late"}, attempt=1)
    streams.publish(tenant_id, turn.id, "done", {}, attempt=1)
    streams.publish(tenant_id, turn.id, "delta", {"text": "new"}, attempt=2)
    streams.publish(tenant_id, turn.id, "done", {}, attempt=2)
    frames = bare_chat.frames(turn)
    assert event_names(frames) == ["delta", "reset", "delta", "done"]
    assert data(frames[2])["text"] == "new"


def test_worker_that_dies_is_followed_by_one_final_answer(bare_chat, event_names):
    turn = bare_chat.post("你好")
    dead = jobs.claim("chat")
    streams.publish(bare_chat.tenant_id, turn.id, "delta", {"text": "您"}, attempt=dead.attempt)
    assert expire_lease(bare_chat)["requeued"] == 1
    assert jobs.run_next("chat")
    # The dead one was only slow: it comes back and must change nothing.
    jobs.run(dead)
    stored = bare_chat.fresh(turn)
    assert stored.status == Turn.Status.DONE
    names = event_names(bare_chat.frames(turn))
    assert names.count("answer") == names.count("done") == 1
    assert names.index("reset") < names.index("answer")


def test_slow_worker_does_not_store_after_it_lost_the_lease(bare_chat):
    turn = bare_chat.post("你好")
    slow = jobs.claim("chat")
    expire_lease(bare_chat)
    jobs.run(slow)
    assert bare_chat.fresh(turn).status == Turn.Status.RUNNING
    assert jobs.run_next("chat")
    assert bare_chat.fresh(turn).status == Turn.Status.DONE


def test_answer_stored_by_a_worker_that_died_before_telling_is_told(bare_chat, event_names):
    turn = bare_chat.ask("你好")
    sync_redis().flushdb()
    with tenant_tx(bare_chat.tenant_id):
        Job.objects.update(state="running", lease_until=timezone.now(), finished_at=None)
    time.sleep(0.01)
    expire_lease(bare_chat)
    assert jobs.run_next("chat")
    assert event_names(bare_chat.frames(turn)) == ["reset", "answer", "done"]
    assert bare_chat.fresh(turn).finished_at == turn.finished_at


def test_worker_that_dies_while_it_tells_the_end_has_told_the_whole(
    bare_chat, event_names, monkeypatch
):
    real = streams.sync_redis

    def dying():
        client = real()

        def pipeline(**options):
            pipe = client.pipeline(**options)
            execute = pipe.execute

            def last_words():
                is_end = "'answer'" in str(pipe.command_stack)
                execute()
                if is_end:
                    raise SystemExit

            pipe.execute = last_words
            return pipe

        return SimpleNamespace(pipeline=pipeline)

    monkeypatch.setattr(streams, "sync_redis", dying)
    turn = bare_chat.post("你好")
    with pytest.raises(SystemExit):
        jobs.run_next("chat")
    names = event_names(bare_chat.frames(turn))
    assert names.count("answer") == 1
    assert names[-2:] == ["answer", "done"]


def test_given_up_turn_ends_the_stream_with_a_sentence(
    bare_chat, event_names, django_capture_on_commit_callbacks
):
    turn = bare_chat.post("请问运费多少")
    with tenant_tx(bare_chat.tenant_id):
        Job.objects.update(max_attempts=1)
    jobs.claim("chat")
    with django_capture_on_commit_callbacks(execute=True):
        assert expire_lease(bare_chat)["given_up"] == 1
    frames = bare_chat.frames(turn)
    assert event_names(frames) == ["error"]
    assert data(frames[0]) == {
        "code": "worker_lost",
        "message": "这次没能答上来，请稍后再问一次；急的话可以回复“转人工”。",
    }


def test_waiting_gives_the_answer_or_the_present_status(bare_chat):
    turn = bare_chat.post("你好")
    started = time.monotonic()
    assert wait_for_turn(turn, timeout_s=0.2)["status"] == "queued"
    assert time.monotonic() - started < 2
    jobs.run_next("chat")
    assert wait_for_turn(turn, timeout_s=5)["rung"] == "greeting"


def test_waiting_wakes_with_the_final_event(bare_chat):
    turn = bare_chat.post("你好")
    waiting = streams._Wait(turn)

    def finish():
        streams.publish(bare_chat.tenant_id, turn.id, "delta", {"text": "x"})
        streams.publish(bare_chat.tenant_id, turn.id, "done", {})

    started = time.monotonic()
    timer = threading.Timer(0.2, finish)
    timer.start()
    waiting.until_final(10)
    timer.join()
    assert 0.15 < time.monotonic() - started < 3


def test_redis_that_is_away_costs_the_live_view_only(bare_chat, settings):
    turn = bare_chat.post("你好")
    sync_redis.cache_clear()
    address, settings.REDIS_URL = settings.REDIS_URL, "unix:///nowhere/redis.sock"
    try:
        jobs.run_next("chat")
        assert wait_for_turn(turn, timeout_s=1)["rung"] == "greeting"
    finally:
        settings.REDIS_URL = address
        sync_redis.cache_clear()
    assert bare_chat.fresh(turn).status == Turn.Status.DONE


def test_response_is_not_buffered_on_its_way(bare_chat):
    turn = bare_chat.ask("你好")
    frames = bare_chat.frames(turn)
    request = RequestFactory().get("/", headers={"Last-Event-ID": ids(frames)[0]})
    response = streams.sse_response(request, bare_chat.tenant_id, turn.id)
    assert response["X-Accel-Buffering"] == "no"
    assert response["Content-Type"] == "text/event-stream"

    async def read():
        return [frame.decode() async for frame in response]

    assert async_to_sync(read)() == frames[1:]
