from pathlib import Path

import pytest

from inference.config import (
    InvalidOption,
    Limits,
    ServeConfig,
    UnreadableKeyFile,
    UnsafeBinding,
    api_keys_read,
)


@pytest.mark.parametrize(
    "options",
    [
        {"embedding_model": " "},
        {"port": 70_000},
        {"threads": 0},
        {"dtype": "float16"},
        {"drain_timeout_s": -1.0},
    ],
)
def test_a_wrong_option_has_a_name(options: dict[str, object]) -> None:
    with pytest.raises(InvalidOption):
        ServeConfig(**options)


@pytest.mark.parametrize("limits", [{"max_inputs": 0}, {"max_queue": 5, "max_inputs": 6}])
def test_a_wrong_limit_has_a_name(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidOption):
        Limits(**limits)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example"])
def test_a_reachable_address_needs_keys(host: str, tmp_path: Path) -> None:
    with pytest.raises(UnsafeBinding):
        ServeConfig(host=host)
    assert ServeConfig(host=host, api_key_file=tmp_path / "keys").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_alone_needs_none(host: str) -> None:
    assert ServeConfig(host=host).api_key_file is None


def test_keys_are_read_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("first-key-of-enough-chars\n\n second-key-of-enough-chars \n")
    assert api_keys_read(file) == (b"first-key-of-enough-chars", b"second-key-of-enough-chars")


@pytest.mark.parametrize("content", [None, "", "\n\n", "short\n"])
def test_a_useless_key_file_stops_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnreadableKeyFile):
        api_keys_read(file)
