"""Texts per second of the encoder on this machine, tokenising included, over the real queue.

Command: `python -m inference bench-embeddings`; a result stands in inference/README.md.
"""

import itertools
import resource
import statistics
import threading
import time

from inference.config import DEFAULT_EMBEDDING_MODEL, ServeConfig
from inference.pooling.batching import BatchCaps
from inference.pooling.encoder import Encoder, encoder_load
from inference.pooling.folder import model_locate
from inference.pooling.queue import EmbeddingQueue, Job, Priority

REQUEST_INPUTS = 32
ENGLISH = (
    "Orders placed before ten in the morning leave the orchard the same day in a padded box with "
    "cooling packs. A parcel usually arrives within two days in the province and within four days "
    "elsewhere; remote counties take longer. If more than three fruits are bruised on arrival, send "
    "a photo of the open box within twenty-four hours and choose a refund or a new parcel. Fruit "
    "that was stored warm after delivery is not covered. Gift cards can be added free of charge up "
    "to the moment of packing, and the address can be changed until then as well. Parcel {n}."
)
CHINESE = (
    "上午十点前下单的水果当天从果园发出,箱内配有缓冲垫和冰袋。省内一般两天送达,省外四天左右,"
    "偏远县镇会更久一些。收货时如果坏果超过三个,请在二十四小时内拍下开箱照片,可以选择退款或补发。"
    "收货后存放在高温处造成的损坏不在赔付范围内。批次{n}。"
)


class _Counts:
    """What the queue tells about batches; jobs need no receipts here."""

    def __init__(self) -> None:
        self.batch_ms: list[float] = []

    def job_finished(self, job: Job) -> None:
        pass

    def batch_finished(self, inputs: int, tokens: int, busy_us: int) -> None:
        self.batch_ms.append(busy_us / 1000)


def bench_embeddings(config: ServeConfig, *, seconds: float) -> str:
    """A small report, one line per language."""
    started = time.perf_counter()
    encoder = encoder_load(
        model_locate(config.embedding_model or DEFAULT_EMBEDDING_MODEL),
        device=config.device,
        dtype=config.dtype,
        threads=config.threads,
    )
    lines = [f"loaded in {time.perf_counter() - started:.1f} s from {config.embedding_model}"]
    for language, text in (("English", ENGLISH), ("Chinese", CHINESE)):
        lines.append(f"{language}: {_measure(config, encoder, text, seconds)}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return "\n".join([*lines, f"peak resident memory {peak_mb} MB", ""])


def _measure(config: ServeConfig, encoder: Encoder, text: str, seconds: float) -> str:
    counts = _Counts()
    limits = config.limits
    queue = EmbeddingQueue(
        caps=BatchCaps(limits.max_batch, limits.batch_tokens(config.device)),
        max_waiting=limits.max_queue,
        observer=counts,
        wake=(woken := threading.Event()).set,
    )
    numbers = itertools.count(1)
    tokens = texts = 0

    def ask() -> Job:
        nonlocal tokens, texts
        ids = encoder.tokenizer.texts([text.format(n=next(numbers)) for _ in range(REQUEST_INPUTS)])
        tokens += sum(map(len, ids.ids))
        texts += REQUEST_INPUTS
        return queue.submit("bench", ids.ids, Priority.BATCH)

    # The encoder runs here, on the thread that loaded it; a second one asks.
    def client() -> None:
        ends = time.perf_counter() + seconds
        pending = ask()
        while time.perf_counter() < ends:
            following = ask()
            pending.result.result()
            pending = following
        pending.result.result()
        queue.close()

    asking = threading.Thread(target=client)
    started = time.perf_counter()
    asking.start()
    while asking.is_alive():
        woken.clear()
        if not queue.turn(encoder):
            woken.wait(0.05)
    taken_s = time.perf_counter() - started
    return (
        f"{texts / taken_s:.1f} texts/s, {tokens / taken_s:.0f} tokens/s, "
        f"{tokens / texts:.0f} tokens a text, batch {statistics.median(counts.batch_ms):.0f} ms"
    )
