"""What weights become: float layers in one dtype, or int8 layers on a CPU."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Literal, Protocol

import torch
from torch import Tensor

from inference.kernels.cpu_int8 import Int8Backend, int8_backend
from inference.kernels.cpu_native import native_load
from inference.kernels.cpu_ops import NativeNorm, NativeOps
from inference.kernels.cpu_packed import NativeLinear
from inference.model.decoder import Embedding
from inference.model.layers import Clamp, Linear, LinearOp, RmsNorm
from inference.model.moe import Experts, ExpertWeights, FloatExperts
from inference.model.paged import StepOps, TorchOps
from inference.model.spec import MoeSpec

Quantization = Literal["none", "int8", "auto"]


def is_int8(device: torch.device, quantization: Quantization) -> bool:
    """What "auto" comes to."""
    return quantization == "int8" or (quantization == "auto" and device.type == "cpu")


class Maker(Protocol):
    """Turns weights into layers on a device."""

    device: torch.device
    dtype: torch.dtype

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp: ...

    def experts(
        self, experts: Iterator[ExpertWeights], moe: MoeSpec, clamp: Clamp | None
    ) -> Experts: ...

    def ends(
        self, table: Tensor, head: Tensor | None
    ) -> tuple[Callable[[Tensor], Tensor], LinearOp]: ...

    def norm(self, weight: Tensor, eps: float) -> RmsNorm: ...

    def ops(self) -> StepOps: ...


def maker_for(device: torch.device, dtype: torch.dtype, quantization: Quantization) -> Maker:
    """The layers for a device; int8 exists on CPUs only."""
    if device.type == "cpu" and is_int8(device, quantization):
        return Int8Maker()
    if device.type == "cuda" and find_spec("triton") is not None:
        return CudaMaker(device, dtype)
    return FloatMaker(device, dtype)


class FloatMaker:
    """Plain torch layers in one dtype."""

    _experts: type[FloatExperts] = FloatExperts

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.device = device
        self.dtype = dtype
        is_plain_cpu = device.type == "cpu" and dtype == torch.float32
        self._native = native_load() if is_plain_cpu else None

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp:
        return Linear(self.place(weight), None if bias is None else self.place(bias))

    def place(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype)

    def experts(
        self, experts: Iterator[ExpertWeights], moe: MoeSpec, clamp: Clamp | None
    ) -> Experts:
        kept: dict[str, Tensor] = {}
        for index, expert in enumerate(experts):
            for name in ("gate_up", "down", "gate_up_bias", "down_bias"):
                part = getattr(expert, name)
                if part is None:
                    continue
                if index == 0:
                    shape = (moe.experts, *part.shape)
                    kept[name] = torch.empty(shape, device=self.device, dtype=self.dtype)
                kept[name][index] = part
        return self._experts(**kept, clamp=clamp)

    def ends(
        self, table: Tensor, head: Tensor | None
    ) -> tuple[Callable[[Tensor], Tensor], LinearOp]:
        placed = self.place(table)
        return Embedding(placed, self.dtype), Linear(placed if head is None else self.place(head))

    def norm(self, weight: Tensor, eps: float) -> RmsNorm:
        if self._native is not None:
            return NativeNorm(self._native, self.place(weight), eps)
        return RmsNorm(self.place(weight), eps)

    def ops(self) -> StepOps:
        return TorchOps() if self._native is None else NativeOps(self._native)


class CudaMaker(FloatMaker):
    """The same layers, with Triton kernels for attention and experts."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(device, dtype)
        # Imported here: Triton is there only beside CUDA.
        from inference.kernels.triton_attention import CudaOps  # noqa: PLC0415
        from inference.kernels.triton_moe import CudaExperts  # noqa: PLC0415

        self._experts = CudaExperts
        self._ops = CudaOps()

    def ops(self) -> StepOps:
        return self._ops


class Int8Maker(FloatMaker):
    """Linear layers and experts in int8 on the CPU; what is small or delicate stays float32."""

    def __init__(self, backend: Int8Backend | None = None) -> None:
        super().__init__(torch.device("cpu"), torch.float32)
        self._backend = backend or int8_backend()

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp:
        return self._backend.linear(weight, bias)

    def experts(
        self, experts: Iterator[ExpertWeights], moe: MoeSpec, clamp: Clamp | None
    ) -> Experts:
        return self._backend.experts(experts, moe.experts, moe.top_k, clamp)

    def ends(
        self, table: Tensor, head: Tensor | None
    ) -> tuple[Callable[[Tensor], Tensor], LinearOp]:
        made = self.linear(table if head is None else head, None)
        if head is None and isinstance(made, NativeLinear):
            return made.rows, made
        # An untied table stays mapped as saved: a step touches a few rows of it.
        return Embedding(table, torch.float32), made
