"""The command line: `python -m inference serve`, `bench` and `bench-embeddings`."""

import argparse
import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference.config import (
    DEFAULT_EMBEDDING_MODEL,
    ChatConfig,
    ChatLimits,
    ConfigError,
    Limits,
    ServeConfig,
    StartRefused,
)
from inference.pooling.folder import ModelRefused

M_ARENA_MAX = -8


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    _tune_process()
    try:
        return int(options.run(options))
    except (ConfigError, ModelRefused, StartRefused) as error:
        sys.stderr.write(f"inference: {error}\n")
        return 2


def _run_serve(options: argparse.Namespace) -> int:
    config = _serve_config(options)
    # Imported here: --help and wrong options answer without loading the server.
    from inference.server.lifecycle import serve  # noqa: PLC0415

    return serve(config)


def _run_bench(options: argparse.Namespace) -> int:
    config = _bench_config(options)
    # Imported here: the server must not load torch before it listens.
    from inference.bench.embeddings import bench_embeddings  # noqa: PLC0415

    sys.stdout.write(bench_embeddings(config, seconds=options.seconds))
    return 0


def _run_compare(options: argparse.Namespace) -> int:
    # Imported here for the same reason.
    from inference.bench.bench_inference import bench_inference  # noqa: PLC0415

    table = bench_inference(
        threads=options.threads,
        rounds=options.rounds,
        layers=options.layers,
        isas=(options.isa,) if options.isa else (),
    )
    sys.stdout.write(table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "--embedding-model",
        default=DEFAULT_EMBEDDING_MODEL,
        metavar="PATH_OR_HUB_ID",
        help="an encoder in Hugging Face's format with safetensors weights, or 'none' "
        "(default: %(default)s)",
    )
    model.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    model.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float16"],
        help="default: float32, for the chat model on CUDA bfloat16",
    )
    model.add_argument("--threads", type=_threads, default=None, metavar="auto|N")

    serve = commands.add_parser("serve", parents=[model], help="answer over HTTP")
    serve.set_defaults(run=_run_serve)
    _add_chat_options(serve)
    serve.add_argument("--rerank-model", metavar="PATH_OR_HUB_ID", help="a cross-encoder")
    serve.add_argument("--rerank-name", metavar="NAME", help="the reranker's name for clients")
    serve.add_argument("--served-name", metavar="NAME", help="the embedder's name for clients")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    serve.add_argument("--api-key-file", type=Path, metavar="FILE", help="one key a line")
    serve.add_argument("--receipts-file", type=Path, default=ServeConfig().receipts_file)
    serve.add_argument("--drain-timeout", type=float, default=20.0, metavar="SECONDS")
    _add_limits(serve, Limits())

    bench = commands.add_parser(
        "bench-embeddings", parents=[model], help="measure texts per second on this machine"
    )
    bench.set_defaults(run=_run_bench)
    bench.add_argument("--seconds", type=float, default=8.0, help="time per measurement")

    compare = commands.add_parser(
        "bench", help="measure the decoder beside transformers and llama.cpp on this machine"
    )
    compare.set_defaults(run=_run_compare)
    compare.add_argument("--threads", type=_threads, default=None, metavar="auto|N")
    compare.add_argument("--rounds", type=int, default=3, help="the best one counts")
    compare.add_argument("--isa", choices=["native", "avx2"], help="default: both in turn")
    compare.add_argument("--layers", type=int, metavar="N", help="fewer than the model's 24")
    return parser


def _add_chat_options(serve: argparse.ArgumentParser) -> None:
    chat = serve.add_argument_group("chat model")
    chat.add_argument(
        "--model",
        metavar="PATH_OR_HUB_ID",
        help="a decoder in Hugging Face's format with safetensors weights",
    )
    chat.add_argument("--model-name", metavar="NAME", help="its name for clients")
    chat.add_argument("--quantization", choices=["auto", "none", "int8"], default="auto")
    chat.add_argument("--kv-gib", type=float, metavar="GIB", help="size of the key-value cache")
    chat.add_argument("--memory-share", type=float, default=0.85, metavar="SHARE")
    _add_limits(chat, ChatLimits())


def _add_limits(parser: argparse._ActionsContainer, defaults: Limits | ChatLimits) -> None:
    for name in defaults.__dataclass_fields__:
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=getattr(defaults, name), metavar="N")


def _threads(value: str) -> int | None:
    return None if value == "auto" else int(value)


def _serve_config(options: argparse.Namespace) -> ServeConfig:
    return ServeConfig(
        embedding_model=None if options.embedding_model == "none" else options.embedding_model,
        rerank_model=options.rerank_model,
        rerank_name=options.rerank_name,
        chat=_chat_config(options) if options.model else None,
        served_name=options.served_name,
        host=options.host,
        port=options.port,
        device=options.device,
        dtype=options.dtype or "float32",
        threads=options.threads,
        api_key_file=options.api_key_file,
        receipts_file=options.receipts_file,
        drain_timeout_s=options.drain_timeout,
        limits=Limits(**_limits_given(options, Limits)),
    )


def _chat_config(options: argparse.Namespace) -> ChatConfig:
    return ChatConfig(
        model=options.model,
        name=options.model_name,
        dtype=options.dtype,
        quantization=options.quantization,
        kv_gib=options.kv_gib,
        memory_share=options.memory_share,
        limits=ChatLimits(**_limits_given(options, ChatLimits)),
    )


def _limits_given(options: argparse.Namespace, kind: type[Limits | ChatLimits]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in kind.__dataclass_fields__}


def _bench_config(options: argparse.Namespace) -> ServeConfig:
    return ServeConfig(
        embedding_model=options.embedding_model,
        device=options.device,
        dtype=options.dtype or "float32",
        threads=options.threads,
    )


def _tune_process() -> None:
    """Settings that libraries read only once, when they are loaded or start a thread."""
    # Waiting OpenMP threads must sleep: beside one busy process on two cores, spinning ones
    # made a batch five times slower (1.2 s against 0.25 s).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "linux":
        try:
            # Each further malloc arena keeps its own freed memory.
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
        except AttributeError:
            return  # not glibc


if __name__ == "__main__":
    sys.exit(main())
