"""What the server was asked to do, checked once at construction.

StartRefused           the process cannot start here and now (port taken, receipts locked)
ConfigError
├── InvalidOption      a value out of range or of the wrong kind
├── UnsafeBinding      an address others can reach, without an API key
└── UnreadableKeyFile  the key file is missing, empty or holds a short key
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_EMBEDDING_MODEL = "all-MiniLM-L6-v2"
MIN_KEY_CHARS = 16

Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["auto", "none", "int8"]


class StartRefused(Exception):
    """The process cannot start here and now; the message is a sentence for the operator."""


class ConfigError(ValueError):
    """The server cannot start as asked; the message is a sentence for the operator."""


class InvalidOption(ConfigError):
    """A value out of range or of the wrong kind."""


class UnsafeBinding(ConfigError):
    """An address that other machines can reach, without an API key."""


class UnreadableKeyFile(ConfigError):
    """The API key file is missing, empty or holds a key that is too short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one request and on what may wait. `max_queue` counts inputs per priority.

    `max_batch_tokens` None means what suits the device, see `batch_tokens`.
    """

    max_inputs: int = 256
    max_body_bytes: int = 4 * 1024 * 1024
    max_chars: int = 1_000_000
    max_queue: int = 4096
    max_batch: int = 64
    max_batch_tokens: int | None = None

    def __post_init__(self) -> None:
        for name in Limits.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidOption(f"--{name.replace('_', '-')} must be at least 1.")
        if self.max_queue < self.max_inputs:
            raise InvalidOption("--max-queue must not be smaller than --max-inputs.")

    def batch_tokens(self, device: Device) -> int:
        """Tokens of one batch: a query waits for at most one batch, and a CPU gains nothing
        from more than a few hundred tokens at once, only memory and waiting."""
        if self.max_batch_tokens is not None:
            return self.max_batch_tokens
        return 512 if device == "cpu" else 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLimits:
    """Bounds on one generated answer, on what may wait and on what one tenant may hold.

    None means what suits the device or the model. `step_tokens` bounds one step of the engine:
    larger reads prompts faster, smaller keeps the pause between two tokens short.
    """

    max_context: int | None = None
    step_tokens: int | None = None
    sequences: int | None = None
    max_choices: int = 16
    max_waiting: int = 512
    max_waiting_tokens: int = 2_000_000
    max_waiting_tenant: int = 128
    tenant_sequences: int | None = None
    tenant_blocks: int | None = None
    speculative_tokens: int = 0
    speculative_below: int = 4

    def __post_init__(self) -> None:
        for name in ChatLimits.__dataclass_fields__:
            value = getattr(self, name)
            least = 0 if name == "speculative_tokens" else 1
            if value is not None and value < least:
                raise InvalidOption(f"--{name.replace('_', '-')} must be at least {least}.")
        if (self.step_tokens or 2**31) < 2 * (self.sequences or 1):
            raise InvalidOption("--step-tokens must be at least twice --sequences.")

    def running(self, device: Device) -> int:
        """Sequences that run at once."""
        usual = 32 if device == "cpu" else 256
        return self.sequences or min(usual, (self.step_tokens or 2**31) // 2)

    def budget(self, device: Device) -> int:
        """Tokens of one step."""
        return self.step_tokens or max(256 if device == "cpu" else 8192, 2 * self.running(device))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatConfig:
    """The generating model. `kv_gib` None shares out what the memory plan leaves.

    `memory_share` is the part of the free memory that the whole process may plan with.
    """

    model: str
    name: str | None = None
    dtype: Dtype | None = None
    quantization: Quantization = "auto"
    kv_gib: float | None = None
    memory_share: float = 0.85
    limits: ChatLimits = field(default_factory=ChatLimits)

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise InvalidOption("--model must name a folder or a hub id.")
        if self.kv_gib is not None and self.kv_gib <= 0:
            raise InvalidOption("--kv-gib must be above 0.")
        if not 0 < self.memory_share <= 1:
            raise InvalidOption("--memory-share must lie above 0 and up to 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """One server process. `threads` None means: measure at start and keep the faster count.

    `served_name` names the embedding model; a model of None is not served.
    """

    embedding_model: str | None = DEFAULT_EMBEDDING_MODEL
    rerank_model: str | None = None
    rerank_name: str | None = None
    chat: ChatConfig | None = None
    served_name: str | None = None
    host: str = "127.0.0.1"
    port: int = 8001
    device: Device = "cpu"
    dtype: Dtype = "float32"
    threads: int | None = None
    api_key_file: Path | None = None
    receipts_file: Path = Path("var/inference/receipts.jsonl")
    drain_timeout_s: float = 20.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for flag, name in (("embedding", self.embedding_model), ("rerank", self.rerank_model)):
            if name is not None and not name.strip():
                raise InvalidOption(f"--{flag}-model must name a folder or a hub id.")
        if not (self.embedding_model or self.rerank_model or self.chat):
            raise InvalidOption("--embedding-model none leaves nothing to serve.")
        if not 0 <= self.port <= 65535:
            raise InvalidOption("--port must lie between 0 and 65535.")
        if self.threads is not None and self.threads < 1:
            raise InvalidOption("--threads must be 'auto' or at least 1.")
        if self.device == "cpu" and self.dtype == "float16":
            raise InvalidOption("--dtype float16 needs --device cuda.")
        if self.drain_timeout_s < 0:
            raise InvalidOption("--drain-timeout must not be negative.")
        if not is_loopback(self.host) and self.api_key_file is None:
            raise UnsafeBinding(
                f"--host {self.host} can be reached by other machines: give --api-key-file too."
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_keys_read(path: Path | None) -> tuple[bytes, ...]:
    """The accepted keys, one a line; no file means that no key is asked for."""
    if path is None:
        return ()
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UnreadableKeyFile(f"The API key file {path} cannot be read: {error}.") from error
    keys = tuple(line.strip() for line in lines if line.strip())
    if not keys:
        raise UnreadableKeyFile(f"The API key file {path} holds no key.")
    if min(map(len, keys)) < MIN_KEY_CHARS:
        raise UnreadableKeyFile(
            f"The API key file {path} holds a key shorter than {MIN_KEY_CHARS} characters."
        )
    return keys
