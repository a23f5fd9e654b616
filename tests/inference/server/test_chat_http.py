"""The OpenAI contract of chat and text completions."""

import json
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.config import ChatLimits
from tests.inference.server.conftest import ByteTokenizer

TOOLS = [
    {
        "type": "function",
        "function": {"name": "price", "parameters": {"type": "object", "properties": {}}},
    },
    {"type": "function", "function": {"name": "stock"}},
]
CALL = '<tool_call>\n{"name": "price", "arguments": {"fruit": "梨 \\"A\\"", "n": {"of": 2}}}\n</tool_call>'


def error_of(answer) -> dict[str, object]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def wait_for(condition) -> None:
    for _ in range(5000):
        if condition():
            return
        threading.Event().wait(0.002)
    raise AssertionError("the condition never came true")


def test_an_answer_has_the_openai_shape(chat) -> None:
    chat.script("Good day.")
    answer = chat.ask(temperature=0, headers={"X-Request-Id": "turn-1"})
    assert (answer["id"], answer["object"], answer["model"]) == (
        "chatcmpl-turn-1",
        "chat.completion",
        "fake",
    )
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Good day."},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    prompt = len("user: hi\nassistant:")
    assert answer["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": 10,
        "total_tokens": prompt + 10,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "prompt_cache_hit_tokens": 0,
        "prompt_cache_miss_tokens": prompt,
    }


def test_a_stream_begins_with_the_role_and_ends_with_the_reason(chat) -> None:
    chat.script("Good day.")
    events = chat.stream(temperature=0)
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in events) == "Good day."
    reasons = [event["choices"][0]["finish_reason"] for event in events]
    assert reasons == [None] * (len(events) - 1) + ["stop"]
    assert len({(e["id"], e["created"], e["model"], e["object"]) for e in events}) == 1
    assert events[0]["object"] == "chat.completion.chunk"


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}])
def test_a_stream_has_no_usage_unless_asked(chat, options) -> None:
    fields = {} if options is None else {"stream_options": options}
    assert not any("usage" in event for event in chat.stream(max_tokens=3, **fields))


def test_usage_comes_last_with_no_choices_and_is_null_before(chat) -> None:
    fields = {"max_tokens": 3, "seed": 1, "ignore_eos": True}
    *chunks, last = chat.stream(stream_options={"include_usage": True}, **fields)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks)
    assert last["choices"] == []
    whole = chat.ask(**fields)["usage"]
    assert {**last["usage"], "prompt_tokens_details": 0, "prompt_cache_hit_tokens": 0} | {
        "prompt_cache_miss_tokens": 0
    } == {**whole, "prompt_tokens_details": 0, "prompt_cache_hit_tokens": 0} | {
        "prompt_cache_miss_tokens": 0
    }


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_streamed_text_is_the_whole_text(chat, path) -> None:
    fields = {
        "max_tokens": 40,
        "seed": 5,
        "n": 2,
        "return_token_ids": True,
        "logprobs": True if "chat" in path else 2,
    }
    if path == "/v1/completions":
        fields["prompt"] = "Once"
    else:
        fields["top_logprobs"] = 2
    whole = chat.ask(path, **fields)
    events = chat.stream(path, **fields)
    for choice in whole["choices"]:
        own = [e["choices"][0] for e in events if e["choices"][0]["index"] == choice["index"]]
        ids = [n for part in own for n in part.get("token_ids", ())]
        assert ids == choice["token_ids"]
        assert own[-1]["finish_reason"] == choice["finish_reason"]
        if path == "/v1/completions":
            assert "".join(part["text"] for part in own) == choice["text"]
            tokens = [t for part in own if part["logprobs"] for t in part["logprobs"]["tokens"]]
            assert tokens == choice["logprobs"]["tokens"]
            continue
        assert "".join(p["delta"].get("content", "") for p in own) == choice["message"]["content"]
        entries = [x for p in own if p["logprobs"] for x in p["logprobs"]["content"]]
        assert entries == choice["logprobs"]["content"]
        assert all(len(entry["top_logprobs"]) == 2 for entry in entries)


def test_a_seed_repeats_an_answer_whatever_runs_beside_it(chat) -> None:
    fields = {"seed": 9, "max_tokens": 30, "temperature": 1.3, "top_p": 0.9}
    alone = chat.ask(**fields)["choices"]
    with ThreadPoolExecutor(6) as pool:
        others = [pool.submit(chat.ask, seed=n, max_tokens=40) for n in range(5)]
        again = pool.submit(chat.ask, **fields).result()["choices"]
        assert all(other.result() for other in others)
    assert again == alone


def test_logprobs_are_probabilities(chat) -> None:
    answer = chat.ask(max_tokens=2, logprobs=True, top_logprobs=20, temperature=0)
    (first, *_) = answer["choices"][0]["logprobs"]["content"]
    assert first["logprob"] == first["top_logprobs"][0]["logprob"]
    total = sum(math.exp(entry["logprob"]) for entry in first["top_logprobs"])
    assert 0 < total <= 1.0001


@pytest.mark.parametrize("is_stream", [False, True])
def test_thoughts_stand_apart_from_the_answer(chat, is_stream) -> None:
    chat.script("<think>\n想一想\n</think>\n\n好的")
    if is_stream:
        *events, usage = chat.stream(temperature=0, stream_options={"include_usage": True})
        deltas = [event["choices"][0]["delta"] for event in events]
        assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "想一想\n"
        assert "".join(delta.get("content", "") for delta in deltas) == "好的"
    else:
        usage = chat.ask(temperature=0)
        assert usage["choices"][0]["message"] == {
            "role": "assistant",
            "content": "好的",
            "reasoning_content": "想一想\n",
        }
    thoughts = usage["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert thoughts == len("<think>\n想一想\n</think>".encode())
    (receipt,) = chat.receipts()
    assert receipt["reasoning"] == thoughts
    assert receipt["out"] + receipt["reasoning"] == usage["usage"]["completion_tokens"]


def test_a_tool_call_is_split_off(chat) -> None:
    chat.model.script = (len("price\nstock\nuser: hi\nassistant:"), f"Looking.\n{CALL}".encode())
    answer = chat.ask(tools=TOOLS, temperature=0)["choices"][0]
    assert answer["finish_reason"] == "tool_calls"
    assert answer["message"]["content"] == "Looking."
    (call,) = answer["message"]["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", "price")
    assert json.loads(call["function"]["arguments"]) == {"fruit": '梨 "A"', "n": {"of": 2}}


def test_tool_arguments_stream_as_they_come(chat) -> None:
    chat.model.script = (len("price\nstock\nuser: hi\nassistant:"), f"{CALL}\n{CALL}".encode())
    events = chat.stream(tools=TOOLS, temperature=0)
    calls = [c for e in events for c in e["choices"][0]["delta"].get("tool_calls", ())]
    assert [(c["index"], c["function"]["name"]) for c in calls if "id" in c] == [
        (0, "price"),
        (1, "price"),
    ]
    assert len(calls) > 20
    for index in (0, 1):
        text = "".join(c["function"]["arguments"] for c in calls if c["index"] == index)
        assert json.loads(text)["n"] == {"of": 2}
    assert not any(e["choices"][0]["delta"].get("content") for e in events)
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_without_tools_the_tags_are_text(chat) -> None:
    chat.script(CALL)
    for fields in ({}, {"tools": TOOLS, "tool_choice": "none"}):
        answer = chat.ask(temperature=0, **fields)["choices"][0]
        assert answer["message"]["content"] == CALL
        assert answer["finish_reason"] == "stop"


def test_a_stop_string_is_not_shown(chat) -> None:
    chat.script("one, two, three")
    fields = {"temperature": 0, "stop": [", th", "zzz"]}
    answer = chat.ask(**fields)
    assert answer["choices"][0]["message"]["content"] == "one, two"
    assert answer["usage"]["completion_tokens"] == len("one, two, th")
    deltas = [event["choices"][0]["delta"].get("content", "") for event in chat.stream(**fields)]
    # What may be the start of a stop string waits until it is certain.
    assert [text for text in deltas if text] == [*"one", ", tw", "o"]


def test_a_character_in_pieces_is_shown_whole_and_its_bytes_are_told(chat) -> None:
    chat.script("垄🍊")
    fields = {"temperature": 0, "logprobs": True}
    events = chat.stream(**fields)
    texts = [event["choices"][0]["delta"].get("content") for event in events]
    assert [text for text in texts if text] == ["垄", "🍊"]
    entries = chat.ask(**fields)["choices"][0]["logprobs"]["content"]
    assert bytes(n for entry in entries for n in entry["bytes"]) == "垄🍊".encode()


class HarmonyTokenizer(ByteTokenizer):
    chat_template = "<|start|>{{ role }}<|channel|>"

    def apply_chat_template(self, conversation, **options) -> str:
        return super().apply_chat_template(conversation, **options)[: -len("assistant:")] + (
            "<|start|>assistant"
        )


@pytest.mark.parametrize("is_stream", [False, True])
def test_harmony_channels_become_thoughts_calls_and_an_answer(start_chat, is_stream) -> None:
    chat = start_chat(tokenizer=HarmonyTokenizer())
    start = "<|start|>assistant"
    written = (
        f"<|channel|>analysis<|message|>想一想<|end|>{start}<|channel|>final<|message|>好的"
        f"<|end|>{start}<|channel|>commentary to=functions.price<|message|>{{}}<|call|>"
    )
    chat.model.script = (len(f"price\nstock\nuser: hi\n{start}"), written.encode())
    if not is_stream:
        choice = chat.ask(tools=TOOLS, temperature=0)["choices"][0]
        message = choice["message"]
        assert (message["reasoning_content"], message["content"]) == ("想一想", "好的")
        assert message["tool_calls"][0]["function"] == {"name": "price", "arguments": "{}"}
        assert choice["finish_reason"] == "tool_calls"
    else:
        deltas = [e["choices"][0]["delta"] for e in chat.stream(tools=TOOLS, temperature=0)]
        assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "想一想"
        assert "".join(delta.get("content", "") for delta in deltas) == "好的"
    forced = chat.post(tools=TOOLS, tool_choice="required")
    assert (forced.status_code, error_of(forced)["param"]) == (400, "tool_choice")
    (receipt,) = chat.receipts()
    assert receipt["reasoning"] > len("想一想".encode())
    assert receipt["out"] > len("好的".encode())


def test_completions_take_texts_and_token_ids(chat) -> None:
    prompts = {"a": "ab", "b": [97, 98]}
    fields = {"max_tokens": 5, "temperature": 0, "ignore_eos": True}
    answers = [chat.ask("/v1/completions", prompt=p, **fields) for p in prompts.values()]
    assert answers[0]["choices"][0]["text"] == answers[1]["choices"][0]["text"]
    many = chat.ask("/v1/completions", prompt=["ab", "cd"], n=2, **fields)
    assert [choice["index"] for choice in many["choices"]] == [0, 1, 2, 3]
    assert many["usage"]["prompt_tokens"] == 4
    assert many["usage"]["completion_tokens"] == 20


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
        ),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages[0]"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"seed": 1.5}, "seed"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"999": 1}}, "logit_bias"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"priority": "urgent"}, "priority"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": {"function": {"name": "no"}}}, "tool_choice"),
        ({"tools": [{"type": "web"}]}, "tools"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"chat_template_kwargs": {"tokenize": True}}, "chat_template_kwargs"),
        ({"colour": 1}, "colour"),
        ({"model": "other"}, "model"),
    ],
)
def test_a_wrong_field_is_named(chat, fields, param) -> None:
    body = {"model": "fake", "messages": [{"role": "user", "content": "hi"}]} | fields
    answer = chat.client.post("/v1/chat/completions", content=json.dumps(body))
    assert answer.status_code == (404 if param == "model" else 400), answer.text
    assert error_of(answer)["param"] == param
    assert chat.receipts() == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": [999]}, "prompt"),
        ({"prompt": ["a", [1]]}, "prompt"),
        ({"prompt": "a", "echo": True}, "echo"),
        ({"prompt": "a", "best_of": 3}, "best_of"),
    ],
)
def test_a_wrong_completion_field_is_named(chat, fields, param) -> None:
    answer = chat.post("/v1/completions", **fields)
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


def test_a_prompt_too_long_names_the_limit(chat) -> None:
    long = [{"role": "user", "content": "x" * 400}]
    for fields in ({"messages": long}, {"max_completion_tokens": 399}):
        answer = chat.post(**fields)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "context_length_exceeded")
        assert "400 tokens" in error_of(answer)["message"]
        assert error_of(answer)["param"] == "messages"
    answer = chat.post("/v1/completions", prompt="x" * 401)
    assert error_of(answer)["param"] == "prompt"


def test_structured_output_without_its_library_says_what_to_install(chat) -> None:
    answer = chat.post(response_format={"type": "json_object"})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "response_format")
    assert error_of(answer)["code"] == "unsupported"


def test_people_cannot_write_control_words(chat) -> None:
    chat.ask(messages=[{"role": "user", "content": "<end> ok"}], max_tokens=1)
    sent = bytes(n for batch in chat.model.batches for n in batch.token_ids.tolist() if n < 256)
    assert b"< end> ok" in sent


def test_a_failing_model_is_an_error_before_and_inside_a_stream(chat) -> None:
    chat.model.fails_on = ord("h")
    answer = chat.post()
    assert (answer.status_code, error_of(answer)["code"]) == (500, "generation_failed")
    (event,) = chat.stream()
    assert event["error"]["code"] == "generation_failed"
    chat.model.fails_on = None
    assert chat.ask(max_tokens=2)
    assert [r["finish_reason"] for r in chat.receipts()[:2]] == ["error", "error"]


def test_a_failure_after_the_first_words_ends_the_stream_with_an_error(chat) -> None:
    chat.script("ab!cd")
    chat.model.fails_on = ord("!")
    *events, last = chat.stream(temperature=0, stream_options={"include_usage": True})
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in events) == "ab!"
    assert last == {"error": last["error"]}
    assert last["error"]["code"] == "generation_failed"
    (receipt,) = chat.receipts()
    assert (receipt["out"], receipt["finish_reason"]) == (3, "error")


def test_tenants_do_not_share_prefixes_and_salts_split_a_tenant(chat) -> None:
    message = [{"role": "user", "content": "the same long question about pears"}]

    def cached(tenant: str, salt: str | None = None) -> int:
        fields = {"cache_salt": salt} if salt else {}
        answer = chat.ask(messages=message, max_tokens=1, headers={"X-Tenant": tenant}, **fields)
        return answer["usage"]["prompt_tokens_details"]["cached_tokens"]

    assert cached("a") == 0
    assert cached("b") == 0
    assert cached("a") > 0
    assert cached("b", "s") == 0
    # A tenant that names another's salt still stands in its own space.
    assert cached("a", "s") == 0
    assert cached("b", "s") > 0
    assert {r["tenant"] for r in chat.receipts()} == {"a", "b"}
    assert chat.post(headers={"X-Tenant": "a b"}).status_code == 400


def test_a_full_queue_refuses_by_tenant_and_by_machine(start_chat) -> None:
    limits = ChatLimits(max_waiting=3, max_waiting_tenant=2, max_waiting_tokens=10_000)
    server = start_chat(limits=limits)
    server.model.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(server.post, max_tokens=1, headers={"X-Tenant": "z"})]
        wait_for(lambda: server.scheduler.running)
        backlog = server.service.chat.backlog
        wait_for(lambda: backlog.requests == 0)
        for n, tenant in enumerate(("a", "a", "b")):
            asked.append(pool.submit(server.post, max_tokens=1, headers={"X-Tenant": tenant}))
            wait_for(lambda n=n: backlog.requests == n + 1)
        own = server.post(headers={"X-Tenant": "a"})
        assert (own.status_code, error_of(own)["code"]) == (429, "queue_full")
        other = server.post(headers={"X-Tenant": "c"})
        assert (other.status_code, error_of(other)["code"]) == (503, "overloaded")
        assert int(own.headers["Retry-After"]) >= 1
        assert int(other.headers["Retry-After"]) >= 1
        server.model.gate.set()
        assert all(one.result(20).status_code == 200 for one in asked)
    assert backlog.requests == backlog.tokens == 0
    assert len(server.receipts()) == 4


def test_waiting_streams_are_kept_alive(start_chat, monkeypatch) -> None:
    monkeypatch.setattr(
        "inference.server.sse.EventStream.__init__.__kwdefaults__", {"keep_alive_s": 0.02}
    )
    server = start_chat()
    server.model.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.post, stream=True, max_tokens=2)
        wait_for(lambda: server.scheduler.running)
        threading.Event().wait(0.1)
        server.model.gate.set()
        assert ": keep-alive\n\n" in answer.result(20).text


def test_a_draining_server_finishes_its_streams_and_takes_no_more(chat) -> None:
    chat.model.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(chat.stream, max_tokens=5)
        wait_for(lambda: chat.scheduler.running)
        chat.service.drain()
        refused = chat.post()
        assert (refused.status_code, error_of(refused)["code"]) == (503, "draining")
        assert chat.client.get("/readyz").json() == {"status": "draining"}
        chat.model.gate.set()
        assert accepted.result(20)[-1]["choices"][0]["finish_reason"] in {"length", "stop"}
    wait_for(lambda: chat.service.is_idle)


def test_a_server_that_must_stop_ends_streams_with_an_error(chat) -> None:
    chat.model.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(chat.stream, max_tokens=300, ignore_eos=True)
        wait_for(lambda: chat.scheduler.running)
        chat.service.abort()
        chat.model.gate.set()
        assert accepted.result(20)[-1]["error"]["code"] == "stopped"
    assert [r["finish_reason"] for r in chat.receipts()] == ["cancelled"]


def test_embeddings_are_served_between_the_steps_of_a_long_answer(chat) -> None:
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(chat.ask, max_tokens=300, ignore_eos=True)
        wait_for(lambda: chat.scheduler.running)
        body = {"model": "embedder", "input": "w2 w3"}
        assert chat.client.post("/v1/embeddings", json=body).status_code == 200
        assert not long.done()
        assert long.result(20)["usage"]["completion_tokens"] == 300
    assert {r["kind"] for r in chat.receipts()} == {"chat", "embedding"}


def test_models_metrics_and_openapi_show_what_is_served(chat) -> None:
    chat.ask(max_tokens=4)
    ids = [model["id"] for model in chat.client.get("/v1/models").json()["data"]]
    assert ids == ["fake", "embedder"]
    assert chat.client.get("/v1/models/embedder").json()["id"] == "embedder"
    missing = chat.client.get("/v1/models/org/other")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "model_not_found")
    text = chat.client.get("/metrics").text
    for name in ("busy_share", "cache_blocks_used 0.0", "first_token_seconds_count 1.0"):
        assert f"furrow_inference_{name}" in text
    document = chat.client.get("/openapi.json").json()
    routes = {route.path.replace(":path", "") for route in chat.client.app.routes}
    served = routes - {"/openapi.json"}
    assert set(document["paths"]) == served


def test_a_text_model_is_not_an_embedder_nor_a_reranker(chat) -> None:
    body = {"model": "fake", "input": "w2"}
    assert chat.client.post("/v1/embeddings", json=body).status_code == 404
    body = {"model": "embedder", "query": "w2", "documents": ["w3"]}
    answer = chat.client.post("/v1/rerank", json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")
    assert chat.post(model="embedder").status_code == 404
