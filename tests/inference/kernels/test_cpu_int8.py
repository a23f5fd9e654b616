import ctypes
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference.kernels import cpu_native
from inference.kernels.cpu_int8 import (
    FbgemmBackend,
    FloatBackend,
    Int8Backend,
    int8_backend,
    relative_error,
    self_test,
)
from inference.kernels.cpu_native import NativeKernels, library_build, native_load
from inference.kernels.cpu_ops import NativeOps
from inference.kernels.cpu_packed import NativeBackend, NativeLinear, matrix_pack
from inference.model.moe import ExpertWeights
from inference.model.paged import DecodeRows, Scoring, TorchOps

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None or native_load() is None, reason="needs a C compiler and AVX2"
)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def some_experts(
    hidden: int, width: int, *, has_bias: bool = False, count: int = 5
) -> list[ExpertWeights]:
    return [
        ExpertWeights(
            draw(2 * width, hidden, seed=n) * hidden**-0.5,
            draw(hidden, width, seed=50 + n) * width**-0.5,
            draw(2 * width, seed=90 + n) if has_bias else None,
            draw(hidden, seed=95 + n) if has_bias else None,
        )
        for n in range(count)
    ]


def allowed(backend: Int8Backend) -> float:
    """fbgemm has one bit less for activations."""
    return 0.06 if backend.name == "fbgemm" else 0.025


@pytest.fixture(params=["native", "avx2", "fbgemm"])
def backend(request: pytest.FixtureRequest) -> Int8Backend:
    if request.param == "fbgemm":
        return FbgemmBackend()
    if native_load() is None:
        pytest.skip("needs a C compiler and AVX2")
    return NativeBackend(NativeKernels(ctypes.CDLL(str(library_build(request.param)))))


@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 64, 96), (9, 60, 70), (33, 300, 17)])
def test_a_linear_layer_is_close_to_float(
    backend: Int8Backend, rows: int, inputs: int, outputs: int
) -> None:
    weight, bias, states = draw(outputs, inputs), draw(outputs, seed=1), draw(rows, inputs, seed=2)
    found = backend.linear(weight, bias)(states)
    expected = FloatBackend().linear(weight, bias)(states)
    assert found.shape == expected.shape
    assert relative_error(found, expected) < allowed(backend)


@pytest.mark.parametrize(
    ("tokens", "hidden", "width", "clamp", "has_bias"),
    [
        (1, 64, 48, None, False),
        (7, 140, 200, None, False),
        (40, 64, 16, None, False),
        (5, 64, 32, (0.7, 1.702), True),
    ],
)
def test_experts_are_close_to_float(
    backend: Int8Backend,
    tokens: int,
    hidden: int,
    width: int,
    clamp: tuple[float, float] | None,
    has_bias: bool,
) -> None:
    experts = some_experts(hidden, width, has_bias=has_bias)
    states = draw(tokens, hidden, seed=7)
    chosen = torch.stack([torch.randperm(5)[:2] for _ in range(tokens)])
    weights = draw(tokens, 2, seed=8).softmax(dim=-1)
    found = backend.experts(experts, 5, 2, clamp)(states, weights, chosen)
    expected = FloatBackend().experts(experts, 5, 2, clamp)(states, weights, chosen)
    assert relative_error(found, expected) < allowed(backend)


@needs_compiler
def test_both_instruction_sets_give_the_same_numbers() -> None:
    native, avx2 = (
        NativeBackend(NativeKernels(ctypes.CDLL(str(library_build(target)))))
        for target in ("native", "avx2")
    )
    weight, states = draw(70, 60), draw(9, 60, seed=2)
    torch.testing.assert_close(
        native.linear(weight, None)(states), avx2.linear(weight, None)(states), atol=1e-6, rtol=1e-6
    )


@needs_compiler
def test_a_row_does_not_depend_on_its_batch() -> None:
    backend = int8_backend()
    states = draw(21, 64, seed=3)
    chosen = torch.stack([torch.randperm(5)[:2] for _ in range(21)])
    weights = draw(21, 2, seed=8).softmax(dim=-1)
    linear = backend.linear(draw(70, 64), None)
    experts = backend.experts(some_experts(64, 48), 5, 2, None)
    for row in (0, 13, 20):
        one = slice(row, row + 1)
        assert torch.equal(linear(states[one]), linear(states)[one])
        alone = experts(states[one], weights[one], chosen[one])
        assert torch.equal(alone, experts(states, weights, chosen)[one])


@needs_compiler
def test_threads_do_not_change_the_result() -> None:
    backend = int8_backend()
    experts = backend.experts(some_experts(64, 48), 5, 2, None)
    states, weights = draw(6, 64), torch.full((6, 2), 0.5)
    chosen = torch.tensor([[0, 1], [2, 3], [4, 0], [1, 2], [3, 4], [0, 2]])
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(experts(states, weights, chosen))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@needs_compiler
def test_rows_of_a_packed_matrix_are_its_rows() -> None:
    made = int8_backend().linear(weight := draw(50, 30), None)
    assert isinstance(made, NativeLinear)
    rows = made.rows(torch.tensor([0, 17, 49]))
    assert relative_error(rows, weight[[0, 17, 49]]) < 0.01


@needs_compiler
@pytest.mark.parametrize("kv_heads", [1, 2, 8])
@pytest.mark.parametrize("window", [None, 5])
@pytest.mark.parametrize("has_sinks", [False, True])
@pytest.mark.parametrize("sequences", [1, 3])
@pytest.mark.parametrize("kept", [torch.float32, torch.float16])
@pytest.mark.parametrize("target", ["native", "avx2"])
def test_paged_attention_equals_the_reference(
    kv_heads: int,
    window: int | None,
    has_sinks: bool,
    sequences: int,
    kept: torch.dtype,
    target: str,
) -> None:
    kernels = NativeKernels(ctypes.CDLL(str(library_build(target))))
    keys, values = (
        draw(12, 4, kv_heads, width, seed=seed).to(kept) for width, seed in ((24, 3), (16, 1))
    )
    decode = DecodeRows(
        None,
        torch.randperm(12).view(3, 4)[:sequences].int(),
        torch.tensor([1, 7, 15][3 - sequences :]),
        15,
    )
    scoring = Scoring(0.3, window, draw(8, seed=5) if has_sinks else None)
    query = draw(sequences, 8, 24, seed=2)
    found = NativeOps(kernels).decode(query, keys, values, decode, scoring)
    expected = TorchOps().decode(query, keys, values, decode, scoring)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@needs_compiler
def test_norm_and_rotation_equal_the_reference() -> None:
    kernels = native_load()
    assert kernels is not None
    states, weight = draw(5, 3, 16), draw(16, seed=1)
    expected = states * torch.rsqrt(states.square().mean(-1, keepdim=True) + 1e-6) * weight
    torch.testing.assert_close(kernels.rms_norm(states, weight, 1e-6), expected)
    angles = draw(5, 8, seed=3)
    turned = TorchOps().rotate(states, 2, angles.cos(), angles.sin())
    found = NativeOps(kernels).rotate(states.clone(), 2, angles.cos(), angles.sin())
    torch.testing.assert_close(found, turned)


@needs_compiler
@pytest.mark.parametrize("kept", [torch.float32, torch.float16])
@pytest.mark.parametrize("heads", [slice(0, 2), slice(2, 5), slice(4, 5)])
def test_the_cache_is_written_as_torch_writes_it(kept: torch.dtype, heads: slice) -> None:
    kernels = native_load()
    assert kernels is not None
    # A part of wider rows, as keys and values are of the joined projection.
    states, slots = draw(6, 5, 8)[:, heads] * 100, torch.randperm(12)[:6]
    found, expected = (torch.zeros(3, 4, states.shape[1], 8, dtype=kept) for _ in range(2))
    NativeOps(kernels).write(found, slots, states)
    TorchOps().write(expected, slots, states)
    assert expected.any()
    assert torch.equal(found, expected)


def test_a_broken_backend_is_noticed() -> None:
    class Broken(FbgemmBackend):
        def linear(self, weight: Tensor, bias: Tensor | None):  # type: ignore[no-untyped-def]
            return super().linear(weight * 1.1, bias)

    assert self_test(FbgemmBackend())
    assert not self_test(Broken())


def test_without_a_compiler_there_are_no_c_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_native.shutil, "which", lambda _: None)
    assert native_load.__wrapped__() is None


@needs_compiler
@pytest.mark.slow
def test_the_library_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = library_build("avx2")
    built = first.stat().st_mtime_ns
    assert library_build("avx2") == first
    assert first.stat().st_mtime_ns == built
    assert [part.name for part in first.parent.iterdir()] == [first.name]


def test_packing_keeps_every_value() -> None:
    weight = torch.tensor([[127.0, -1.0, 5.0], [2.0, 127.0, -127.0]])
    packed = matrix_pack(weight)
    assert packed.tiles.shape == (2, 1, 16, 4)
    assert packed.tiles[0, 0, :2].tolist() == [[127, -1, 5, 0], [2, 127, -127, 0]]
    assert packed.sums[0, 0, :3].tolist() == [-128 * 131, -128 * 2, 0]
