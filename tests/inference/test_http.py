import base64
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inference.config import Limits
from inference.pooling.queue import Priority
from inference.server.logs import JsonLines

KEY = "a-key-of-enough-characters"


def error_of(answer) -> dict[str, object]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def wait_for(condition) -> None:
    pause = threading.Event()
    for _ in range(5000):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError("the condition never came true")


def test_answer_has_the_openai_shape(server) -> None:
    answer = server.embed(["w2 w3", "w4"])
    assert answer["object"] == "list"
    assert answer["model"] == "fake"
    assert [(d["object"], d["index"]) for d in answer["data"]] == [
        ("embedding", 0),
        ("embedding", 1),
    ]
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_base64_and_float_are_the_same_numbers(server) -> None:
    floats = server.embed("w2 w3")["data"][0]["embedding"]
    coded = server.embed("w2 w3", encoding_format="base64")["data"][0]["embedding"]
    assert np.array_equal(
        np.frombuffer(base64.b64decode(coded), dtype="<f4"), np.array(floats, dtype=np.float32)
    )


@pytest.mark.parametrize("value", [[5, 6], [[5, 6]]])
def test_token_ids_mean_the_same_as_their_text(server, value) -> None:
    assert server.embed(value)["data"] == server.embed("w5 w6")["data"]


def test_long_inputs_are_cut_and_counted_as_cut(server) -> None:
    body = {"model": "fake", "input": ["w2 " * 50, "w3", "w4 " * 16]}
    answer = server.client.post("/v1/embeddings", json=body)
    assert answer.headers["X-Truncated-Inputs"] == "1"
    assert answer.json()["usage"]["prompt_tokens"] == 16 + 1 + 16


def test_shorter_vectors_are_cut_and_of_unit_length(server) -> None:
    full = np.array(server.embed("w2")["data"][0]["embedding"])
    short = np.array(server.embed("w2", dimensions=4)["data"][0]["embedding"])
    assert np.allclose(short, full[:4] / np.linalg.norm(full[:4]), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["w2", ""]}, "input"),
        ({"input": ["w2", 3]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [[100]]}, "input"),
        ({"input": [-1]}, "input"),
        ({"input": [True]}, "input"),
        ({"input": {"text": "w2"}}, "input"),
        ({"input": None}, "input"),
        ({"input": "\ud800"}, "input"),
        ({"model": 3}, "model"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 5}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(server, fields, param) -> None:
    body = json.dumps({"model": "fake", "input": "w2"} | fields)
    answer = server.client.post("/v1/embeddings", content=body)
    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(server, body) -> None:
    answer = server.client.post("/v1/embeddings", content=body)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_json"


def test_too_many_inputs_or_characters_are_refused(start) -> None:
    server = start(Limits(max_inputs=2, max_chars=10))
    many = server.client.post("/v1/embeddings", json={"model": "fake", "input": ["w2"] * 3})
    assert (many.status_code, error_of(many)["code"]) == (400, "too_many_inputs")
    long = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w2 " * 9})
    assert (long.status_code, error_of(long)["code"]) == (400, "too_many_characters")


def test_a_large_body_is_refused(start) -> None:
    server = start(Limits(max_body_bytes=100))
    answer = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w2 " * 99})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "request_too_large")


def test_an_unknown_model_route_or_method_is_an_error_object(server) -> None:
    model = server.client.post("/v1/embeddings", json={"model": "other", "input": "w2"})
    assert (model.status_code, error_of(model)["code"]) == (404, "model_not_found")
    assert error_of(server.client.get("/v1/nothing"))["code"] == "http_404"
    assert error_of(server.client.get("/v1/embeddings"))["code"] == "http_405"


def test_a_key_is_asked_for_where_contents_or_receipts_are(start) -> None:
    server = start(keys=(KEY.encode(), b"another-key-of-enough-characters"))
    for path in ("/v1/models", "/receipts", "/v1/nothing"):
        answer = server.client.get(path)
        assert (answer.status_code, error_of(answer)["code"]) == (401, "invalid_api_key")
    for header in (f"Bearer {KEY}x", f"Basic {KEY}", "Bearer", "Bearer 钥匙".encode()):
        refused = server.client.get("/v1/models", headers={"Authorization": header})
        assert refused.status_code == 401
    accepted = server.client.get("/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    assert accepted.json()["data"][0]["id"] == "fake"
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").status_code == 200
    assert server.client.get("/metrics").status_code == 200


def test_request_ids_are_echoed_or_made(server) -> None:
    given = server.client.get("/healthz", headers={"X-Request-Id": "shop-1:abc.9"})
    assert given.headers["X-Request-Id"] == "shop-1:abc.9"
    unsafe = server.client.get("/healthz", headers={"X-Request-Id": "a b" * 99})
    assert len(unsafe.headers["X-Request-Id"]) == 32


def test_nothing_is_served_before_the_model_is_loaded(start) -> None:
    server = start(is_loaded=False)
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").status_code == 503
    answer = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w2"})
    assert (answer.status_code, error_of(answer)["code"]) == (503, "loading")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_draining_server_finishes_its_work_and_takes_no_more(server) -> None:
    server.encoder.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server.embed, "w2")
        assert server.encoder.started.acquire(timeout=10)
        server.service.drain()
        refused = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w2"})
        assert (refused.status_code, error_of(refused)["code"]) == (503, "draining")
        assert "Retry-After" in refused.headers
        assert server.client.get("/readyz").json() == {"status": "draining"}
        server.encoder.gate.set()
        assert accepted.result(timeout=10)["usage"]["prompt_tokens"] == 1


def test_a_full_queue_answers_429(start) -> None:
    server = start(Limits(max_inputs=2, max_queue=2))
    server.encoder.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(server.embed, ["w2", "w3"])
        assert server.encoder.started.acquire(timeout=10)
        waiting = pool.submit(server.embed, ["w4", "w5"])
        wait_for(lambda: server.service.embedding.queue.depth(Priority.BATCH) == 2)
        refused = server.client.post(
            "/v1/embeddings", json={"model": "fake", "input": ["w6", "w7"]}
        )
        assert (refused.status_code, error_of(refused)["code"]) == (429, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        server.encoder.gate.set()
        assert running.result(10)
        assert waiting.result(10)


@pytest.mark.parametrize(
    ("value", "header", "expected"),
    [
        ("w4", None, Priority.INTERACTIVE),
        (["w4", "w5"], None, Priority.BATCH),
        (["w4", "w5"], "interactive", Priority.INTERACTIVE),
        ("w4", "batch", Priority.BATCH),
    ],
)
def test_priority_follows_the_header_or_the_number_of_inputs(
    server, value, header, expected
) -> None:
    server.encoder.gate.clear()
    headers = {"X-Priority": header} if header else {}
    body = {"model": "fake", "input": value}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.embed, "w2")
        assert server.encoder.started.acquire(timeout=10)
        second = pool.submit(server.client.post, "/v1/embeddings", json=body, headers=headers)
        wait_for(lambda: server.service.embedding.queue.depth(expected) > 0)
        server.encoder.gate.set()
        assert first.result(10)
        assert second.result(10).status_code == 200


def test_an_unknown_priority_is_refused(server) -> None:
    body = {"model": "fake", "input": "w2"}
    answer = server.client.post("/v1/embeddings", json=body, headers={"X-Priority": "urgent"})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "X-Priority")


def test_a_failing_model_is_a_500_without_its_reason(server) -> None:
    server.encoder.fails_on = 66
    answer = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w66"})
    assert (answer.status_code, error_of(answer)["code"]) == (500, "batch_failed")
    assert "broke" not in answer.text
    assert server.embed("w2")["usage"]["prompt_tokens"] == 1


def test_receipts_counters_and_answers_agree(server) -> None:
    def ask(n: int) -> int:
        return server.embed([f"w{n} w3 w4"] * (n % 5 + 1))["usage"]["prompt_tokens"]

    with ThreadPoolExecutor(8) as pool:
        answered = sum(pool.map(ask, range(2, 42)))
    server.encoder.fails_on = 66
    server.client.post("/v1/embeddings", json={"model": "fake", "input": "w66"})
    server.client.post("/v1/embeddings", json={"model": "other", "input": "w2"})

    receipts = server.client.get("/receipts").json()["receipts"]
    assert [r["seq"] for r in receipts] == list(range(1, 42))
    assert sum(r["in_miss"] for r in receipts) == answered
    assert server.metric("tokens_total", kind="in_miss") == answered
    assert server.metric("busy_microseconds_total") == sum(r["busy_us"] for r in receipts)
    assert server.metric("jobs_total", kind="embedding", finish_reason="stop") == 40
    assert receipts[-1]["finish_reason"] == "error"
    assert all((r["in_hit"], r["out"], r["reasoning"]) == (0, 0, 0) for r in receipts)


def test_a_receipt_names_the_request_and_its_times(server) -> None:
    server.client.post(
        "/v1/embeddings",
        json={"model": "fake", "input": "w2 w3"},
        headers={"X-Request-Id": "turn-7"},
    )
    answer = server.client.get("/receipts", params={"after": 0}).json()
    (receipt,) = answer["receipts"]
    assert receipt["boot_id"] == answer["boot_id"]
    assert (receipt["request_id"], receipt["kind"], receipt["in_miss"]) == (
        "turn-7",
        "embedding",
        2,
    )
    assert receipt["started_at"] <= receipt["finished_at"]


def test_receipts_are_read_page_by_page(server) -> None:
    for _ in range(3):
        server.embed("w2")
    page = server.client.get("/receipts", params={"after": 1, "limit": 1}).json()
    assert ([r["seq"] for r in page["receipts"]], page["next_after"], page["has_more"]) == (
        [2],
        2,
        True,
    )
    last = server.client.get("/receipts", params={"after": page["next_after"]}).json()
    assert ([r["seq"] for r in last["receipts"]], last["has_more"]) == ([3], False)
    wrong = server.client.get("/receipts", params={"after": "x"})
    assert (wrong.status_code, error_of(wrong)["param"]) == (400, "after")


def test_work_stops_being_taken_when_receipts_cannot_be_written(server, monkeypatch) -> None:
    monkeypatch.setattr(server.service.receipts, "is_writable", lambda: False)
    answer = server.client.post("/v1/embeddings", json={"model": "fake", "input": "w2"})
    assert (answer.status_code, error_of(answer)["code"]) == (503, "receipts_unwritable")
    assert server.client.get("/readyz").status_code == 503


def test_the_log_line_has_facts_and_no_contents(server, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="inference.requests"):
        server.embed("w2 secret-words")
    (record,) = [r for r in caplog.records if r.name == "inference.requests"]
    line = JsonLines().format(record)
    assert "secret" not in line
    facts = json.loads(line)
    assert (facts["route"], facts["status"], facts["inputs"]) == ("/v1/embeddings", 200, 1)
    assert facts["tokens"] == 4


def test_metrics_are_prometheus_text_and_keep_unknown_paths_together(server) -> None:
    server.embed("w2")
    server.client.get("/wp-admin")
    text = server.client.get("/metrics").text
    assert 'furrow_inference_tokens_total{kind="in_miss"} 1.0' in text
    assert 'route="other",status="404"' in text
    assert "wp-admin" not in text
