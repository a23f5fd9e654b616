"""`manage.py up` starts the chat model that was chosen and tells the others where it is."""

import socket

import pytest

from furrow.ops import runtime
from furrow.ops.runtime import CannotStart, Ports

PORTS = Ports.from_web(9000)


@pytest.fixture(autouse=True)
def _plain(settings, monkeypatch):
    settings.FURROW_MODEL, settings.FURROW_DEVICE = "", "cpu"
    for name in ("EMBEDDINGS_URL", "CHAT_URL"):
        monkeypatch.delenv(name, raising=False)


def _inference(env: dict[str, str]) -> list[str]:
    services = runtime.services(PORTS, env, is_demo=False)
    return next(service.command for service in services if service.name == "inference")


def _value(command: list[str], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_without_a_chat_model_only_embeddings_are_served():
    assert runtime.model_addresses(PORTS) == {"EMBEDDINGS_URL": "http://127.0.0.1:9001/v1"}
    assert "--model" not in _inference({})
    assert runtime.start_limit_s("inference") == 90


def test_chosen_model_is_started_and_found_under_one_name_and_key(settings):
    settings.FURROW_MODEL, settings.FURROW_DEVICE = "models/granite", "cuda"
    command = _inference({})
    addresses = runtime.model_addresses(PORTS)
    assert _value(command, "--model") == "models/granite"
    assert _value(command, "--device") == "cuda"
    assert _value(command, "--model-name") == addresses["CHAT_MODEL"]
    assert _value(command, "--api-key-file") == addresses["CHAT_API_KEY_FILE"]
    assert addresses["CHAT_URL"] == f"http://127.0.0.1:{_value(command, '--port')}/v1"
    assert addresses["CHAT_DIALECT"] == "own"
    assert runtime.start_limit_s("inference") > 90
    assert runtime.start_limit_s("web") == 90


def test_two_chat_models_are_one_too_many(settings, monkeypatch):
    settings.FURROW_MODEL = "models/granite"
    monkeypatch.setenv("CHAT_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(CannotStart, match="set only one"):
        runtime.check_model()


def test_model_that_cannot_be_one_is_refused_before_anything_starts(settings, tmp_path):
    settings.FURROW_MODEL = str(tmp_path / "missing")
    with pytest.raises(CannotStart, match="neither a folder nor a name"):
        runtime.check_model()
    settings.FURROW_MODEL = str(tmp_path)
    with pytest.raises(CannotStart, match=r"no config\.json"):
        runtime.check_model()
    (tmp_path / "config.json").write_text("{}")
    runtime.check_model()
    assert runtime.model_addresses(PORTS)["CHAT_MODEL"] == tmp_path.name
    assert _value(_inference({}), "--model-name") == tmp_path.name
    settings.FURROW_MODEL = "ibm-granite/granite-3.1-1b-a400m-instruct"
    runtime.check_model()


@pytest.mark.slow
def test_chat_model_of_the_environment_is_left_as_it_is(monkeypatch):
    monkeypatch.setenv("CHAT_URL", "http://127.0.0.1:1/v1")
    assert set(runtime.model_addresses(PORTS)) == {"EMBEDDINGS_URL"}


@pytest.mark.parametrize(("family", "address"), [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")])
def test_port_is_taken_under_either_address_of_localhost(family, address):
    try:
        with socket.socket(getattr(socket, family)) as other:
            other.bind((address, 0))
            other.listen()
            taken = other.getsockname()[1]
            assert not runtime.port_is_free(taken)
    except OSError:
        pytest.skip(f"this machine has no {address}")
    assert runtime.port_is_free(taken)
