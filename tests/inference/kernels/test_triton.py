"""The Triton kernels against the reference: on a GPU, or slowly in Triton's interpreter.

`TRITON_INTERPRET=1` must be set before Triton is imported, so these run only when asked for.
"""

import os

import pytest
import torch

from inference.model.layers import Clamp
from inference.model.moe import FloatExperts
from inference.model.paged import DecodeRows, Scoring, TorchOps

IS_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (IS_INTERPRETED or torch.cuda.is_available()):
    pytest.skip("needs a CUDA device or TRITON_INTERPRET=1", allow_module_level=True)
pytest.importorskip("triton")

from inference.kernels import triton_attention  # noqa: E402 - after the skip
from inference.kernels.triton_moe import CudaExperts  # noqa: E402

DEVICE = "cpu" if IS_INTERPRETED else "cuda"


@pytest.fixture(autouse=True)
def pretended_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    if IS_INTERPRETED:

        class Properties:
            multi_processor_count = 8

        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)


@pytest.mark.parametrize("window", [None, 37])
@pytest.mark.parametrize("has_sinks", [False, True])
@pytest.mark.parametrize(("heads", "kv_heads", "width"), [(8, 2, 32), (4, 4, 64)])
def test_grouped_attention_equals_the_reference(
    heads: int, kv_heads: int, width: int, has_sinks: bool, window: int | None
) -> None:
    torch.manual_seed(0)
    keys = torch.randn(60, 16, kv_heads, width, device=DEVICE)
    values = torch.randn(60, 16, kv_heads, width, device=DEVICE)
    check(torch.randn(3, heads, width, device=DEVICE), keys, values, has_sinks, window)


def test_latent_attention_equals_the_reference() -> None:
    torch.manual_seed(0)
    keys = torch.randn(60, 16, 1, 80, device=DEVICE)
    check(torch.randn(3, 6, 80, device=DEVICE), keys, keys[..., :64], False, None)


def check(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    has_sinks: bool,
    window: int | None,
) -> None:
    lengths = torch.tensor([1, 300, 129], device=DEVICE)
    tables = torch.randperm(60, device=DEVICE)[:57].view(3, 19).int()
    sinks = torch.randn(query.shape[1], device=DEVICE) if has_sinks else None
    decode, scoring = DecodeRows(None, tables, lengths, 300), Scoring(0.2, window, sinks)
    found = triton_attention.CudaOps().decode(query, keys, values, decode, scoring)
    expected = TorchOps().decode(query, keys, values, decode, scoring)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("tokens", [1, 9])
@pytest.mark.parametrize(("has_bias", "clamp"), [(False, None), (True, (0.7, 1.702))])
def test_fused_experts_equal_the_reference(
    tokens: int, has_bias: bool, clamp: Clamp | None
) -> None:
    torch.manual_seed(0)
    bias = (
        (torch.randn(6, 80, device=DEVICE), torch.randn(6, 96, device=DEVICE))
        if has_bias
        else (None, None)
    )
    parts = (
        torch.randn(6, 80, 96, device=DEVICE) / 10,
        torch.randn(6, 96, 40, device=DEVICE) / 6,
        *bias,
        clamp,
    )
    states = torch.randn(tokens, 96, device=DEVICE)
    chosen = torch.stack([torch.randperm(6, device=DEVICE)[:2] for _ in range(tokens)])
    weights = torch.rand(tokens, 2, device=DEVICE)
    found = CudaExperts(*parts).fused(states, weights, chosen)
    expected = FloatExperts(*parts)(states, weights, chosen)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=2e-3)
