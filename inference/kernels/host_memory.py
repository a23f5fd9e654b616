"""Memory of the CPU kernels: huge pages for weights, one buffer for what a step needs."""

import ctypes
import math
import mmap

import torch
from torch import Tensor

ALIGNMENT = 64
HUGE_PAGE = 2 << 20
ARENA = 64 << 20


class HugePages:
    """Memory in huge pages where the system grants them, handed out piece after piece.

    Weights are read in short pieces all over a gigabyte: with 4 kB pages a third of the time goes
    into address translation. Small matrices share a page, or most would get none.
    """

    def __init__(self) -> None:
        self._arena = torch.empty(0, dtype=torch.uint8)

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Uninitialised, at a multiple of ALIGNMENT; an arena lives as long as its last piece."""
        size = math.prod(shape) * dtype.itemsize
        taken = -(-size // ALIGNMENT) * ALIGNMENT
        if taken > len(self._arena):
            self._arena = _huge_arena(max(taken, ARENA))
        piece, self._arena = self._arena[:size], self._arena[taken:]
        return piece.view(dtype).view(shape)


def _huge_arena(size: int) -> Tensor:
    buffer = torch.empty(size + HUGE_PAGE, dtype=torch.uint8)
    arena = buffer[-buffer.data_ptr() % HUGE_PAGE :][:size]
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # Only advice: without it everything works, slower.
        address, length = ctypes.c_void_p(arena.data_ptr()), ctypes.c_size_t(size)
        ctypes.CDLL(None).madvise(address, length, mmap.MADV_HUGEPAGE)
    return arena


HUGE_PAGES = HugePages()


def memory_trim() -> None:
    """Give back what loading freed: the C library keeps a third of a model's size otherwise."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Scratch:
    """One growing buffer per use: a step's temporaries without an allocation."""

    def __init__(self) -> None:
        self._buffer = torch.empty(0, dtype=torch.uint8)

    def of(self, size: int) -> int:
        """The address of at least `size` bytes, aligned for vectors."""
        if self._buffer.numel() < size + ALIGNMENT:
            self._buffer = torch.empty(2 * size + ALIGNMENT, dtype=torch.uint8)
        return -(-self._buffer.data_ptr() // ALIGNMENT) * ALIGNMENT
