"""The C kernels of this folder: built once with the system's compiler, checked, called by ctypes.

Where there is no compiler, or a check fails, `native_load` answers None and torch does the work.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from inference.kernels.host_memory import Scratch

SOURCES = [Path(__file__).with_name(name) for name in ("cpu_int8.c", "cpu_attention.c")]
HEADER = Path(__file__).with_name("cpu_math.h")
# No -ffast-math: linked into a library it would turn off denormals for the whole process.
FLAGS = [
    "-O3", "-fopenmp", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math",
    "-fassociative-math", "-fno-signed-zeros",
]  # fmt: skip
BUILD_TIMEOUT_S = 60
TILE = 16
GROUP = 128

log = logging.getLogger("inference.kernels")


class ExpertsStruct(ctypes.Structure):
    """experts_t of the C source; pointers are kept alive by the tensors' owner."""

    _fields_ = [
        *[(name, ctypes.c_int64) for name in ("experts", "hidden", "inner", "top_k")],
        *[
            (name, ctypes.c_void_p)
            for name in (
                "gate_up", "down", "gate_up_scale", "down_scale", "gate_up_bias", "down_bias",
                "gate_up_sum", "down_sum",
            )
        ],
        ("limit", ctypes.c_float),
        ("alpha", ctypes.c_float),
    ]  # fmt: skip


class PagesStruct(ctypes.Structure):
    """pages_t of the C source."""

    _fields_ = [
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        *[
            (name, ctypes.c_int64)
            for name in (
                "token_stride", "head_stride", "value_token_stride", "value_head_stride",
                "block_size", "table_width", "heads", "kv_heads", "width", "value_width",
            )
        ],
        ("tables", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("sinks", ctypes.c_void_p),
        ("window", ctypes.c_int64),
        ("scale", ctypes.c_float),
        ("is_half", ctypes.c_int32),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """An int8 matrix [n, k] in tiles [n / 16, k / 4, 16, 4]; n padded to 32 and k to 4.

    `sums` are the weights' sums by group of inputs, times -128, [n / 16, groups, 16].
    """

    tiles: Tensor
    scales: Tensor
    sums: Tensor
    rows: int
    columns: int


class NativeKernels:
    """The C functions over contiguous float32 CPU tensors. Not for two threads at a time."""

    def __init__(self, library: ctypes.CDLL) -> None:
        pointer, integer, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
        shapes = {
            "i8_linear": [pointer, integer, integer, *[pointer] * 5, integer, pointer, number],
            "i8_experts": [pointer, pointer, integer, *[pointer] * 4, number],
            "paged_attention": [pointer, pointer, integer, integer, pointer, pointer, number],
            "rotate_heads": [pointer, *[integer] * 4, pointer, pointer],
            "cache_write": [pointer, *[integer] * 3, pointer, pointer, number],
            "rms_norm": [pointer, integer, integer, pointer, ctypes.c_float, pointer],
        }
        for name, arguments in shapes.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, None
        self._library = library
        self._scratch = Scratch()
        self.has_vnni = bool(library.has_vnni())

    def linear(self, states: Tensor, matrix: PackedMatrix, bias: Tensor | None) -> Tensor:
        """states [T, k] -> [T, n]."""
        states = states.contiguous()
        count = states.shape[0]
        out = torch.empty(count, matrix.rows)
        self._library.i8_linear(
            states.data_ptr(), count, matrix.columns, matrix.tiles.data_ptr(),
            matrix.scales.data_ptr(), matrix.sums.data_ptr(),
            None if bias is None else bias.data_ptr(), out.data_ptr(), matrix.rows,
            self._scratch.of(count * row_bytes(matrix.columns)), torch.get_num_threads(),
        )  # fmt: skip
        return out

    def experts(
        self, layer: ExpertsStruct, states: Tensor, weights: Tensor, chosen: Tensor
    ) -> Tensor:
        """states [T, hidden], weights and chosen [T, k] -> [T, hidden]."""
        states, weights, chosen = states.contiguous(), weights.contiguous(), chosen.contiguous()
        count, pairs = states.shape[0], weights.numel()
        per_pair = 4 * layer.inner + row_bytes(layer.inner) + 4
        size = pairs * per_pair + count * row_bytes(layer.hidden) + 8 * (layer.experts + 1)
        out = torch.empty_like(states)
        self._library.i8_experts(
            ctypes.addressof(layer), states.data_ptr(), count, chosen.data_ptr(),
            weights.data_ptr(), out.data_ptr(), self._scratch.of(size), torch.get_num_threads(),
        )  # fmt: skip
        return out

    def attention(self, pages: PagesStruct, query: Tensor, longest: int) -> Tensor:
        """query [S, heads, width] -> [S, heads, value_width]."""
        query = query.contiguous()
        out = torch.empty(*query.shape[:2], pages.value_width)
        threads = torch.get_num_threads()
        self._library.paged_attention(
            ctypes.addressof(pages), query.data_ptr(), query.shape[0], longest, out.data_ptr(),
            self._scratch.of(threads * query.shape[1] * longest * 4), threads,
        )  # fmt: skip
        return out

    def rotate(self, states: Tensor, turned: int, cos: Tensor, sin: Tensor) -> None:
        """Rotate the first `turned` heads of contiguous states [T, heads, width] in place."""
        self._library.rotate_heads(
            states.data_ptr(), *states.shape[:2], turned, states.shape[2],
            cos.data_ptr(), sin.data_ptr(),
        )  # fmt: skip

    def cache_write(self, pages: Tensor, slots: Tensor, states: Tensor) -> None:
        """States [T, heads, width], a row's numbers side by side, to slots of contiguous pages."""
        self._library.cache_write(
            states.data_ptr(), len(states), states.stride(0), states.shape[1] * states.shape[2],
            slots.data_ptr(), pages.data_ptr(), pages.dtype == torch.float16,
        )  # fmt: skip

    def rms_norm(self, states: Tensor, weight: Tensor, eps: float) -> Tensor:
        """Over the last dimension of float32 states."""
        states = states.contiguous()
        out = torch.empty_like(states)
        width = states.shape[-1]
        self._library.rms_norm(
            states.data_ptr(),
            states.numel() // width,
            width,
            weight.data_ptr(),
            eps,
            out.data_ptr(),
        )
        return out


def groups_of(columns: int) -> int:
    """How many groups of inputs a row is quantised in."""
    return -(-columns // GROUP)


def row_bytes(columns: int) -> int:
    """What a quantised row takes: up to two bytes an input in sixteens, eight for each group."""
    return 2 * (columns + 15) + 8 * groups_of(columns)


@lru_cache(maxsize=1)
def native_load() -> NativeKernels | None:
    """The kernels, built on first use; None where they cannot be had.

    FURROW_CPU_ISA=avx2 leaves AVX-512 unused, to measure on one processor what another does.
    """
    isa = os.environ.get("FURROW_CPU_ISA", "native")
    if isa not in {"native", "avx2"}:
        raise ValueError(f"FURROW_CPU_ISA must be 'native' or 'avx2', not {isa!r}.")
    if platform.machine() not in {"x86_64", "AMD64"} or not torch.cpu._is_avx2_supported():
        return None
    try:
        library = ctypes.CDLL(str(library_build(isa)))
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("no C kernels, torch computes everything: %s", error)
        return None
    return NativeKernels(library)


def library_build(target: str) -> Path:
    """The shared library for a -march target, from the cache where it was built before."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise OSError("no C compiler found")
    command = [compiler, *FLAGS, *_march(target)]
    code = b"".join(part.read_bytes() for part in (*SOURCES, HEADER))
    key = hashlib.sha256(code + repr((command, _cpu_flags())).encode()).hexdigest()
    folder = cache_folder()
    library = folder / f"cpu-{key[:20]}.so"
    if not library.is_file():
        # Built beside and renamed: two processes may start at once.
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".so", delete=False) as partial:
            pass
        try:
            subprocess.run(  # noqa: S603 - our own source, fixed flags
                [*command, *map(str, SOURCES), "-o", partial.name, "-lm"],
                check=True, capture_output=True, timeout=BUILD_TIMEOUT_S,
            )  # fmt: skip
            Path(partial.name).replace(library)
        finally:
            Path(partial.name).unlink(missing_ok=True)
    return library


def _march(target: str) -> list[str]:
    return ["-mavx2", "-mfma", "-mf16c"] if target == "avx2" else [f"-march={target}"]


def _cpu_flags() -> str:
    """What -march=native depends on: a cache may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith("flags")), "")


def cache_folder() -> Path:
    """A folder only this user can write: what lies in it gets loaded."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        folder = base / "furrow-inference"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK):
            return folder
    except OSError:
        log.info("no cache folder at %s, building into a temporary one", base)
    return Path(tempfile.mkdtemp(prefix="furrow-inference-"))
