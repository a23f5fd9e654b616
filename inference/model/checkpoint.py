"""Reading a checkpoint tensor by tensor: mapped safetensors, FP8 and MXFP4 turned into floats."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import safe_open
from torch import Tensor

from inference.model.spec import UnsupportedModel
from inference.pooling.folder import ModelMissing, UnsafeModel

# Published DeepSeek-architecture folders carry code for old libraries. It is never run: the
# model is computed here from the config's numbers alone.
IGNORED_CODE = {"deepseek_v2", "deepseek_v3"}
FP8_BLOCK = 128
MXFP4_VALUES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


class TensorSource(Protocol):
    """Where weights come from."""

    def has(self, name: str) -> bool: ...

    def get(self, name: str, shape: tuple[int, ...] | None = None) -> Tensor: ...

    def slice(self, name: str, index: int) -> Tensor: ...


def config_read(folder: Path) -> dict[str, Any]:
    """config.json, refused when loading would mean running the folder's own code."""
    path = folder / "config.json"
    if not path.is_file():
        raise ModelMissing(f"{folder} holds no config.json, so it is no Hugging Face model.")
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelMissing(f"{path} is not valid JSON: {error}.") from error
    if "auto_map" in config and config.get("model_type") not in IGNORED_CODE:
        raise UnsafeModel(
            f"{folder} asks to run code of its own (auto_map); only architectures that "
            "this server computes itself are served."
        )
    method = (config.get("quantization_config") or {}).get("quant_method")
    if method not in {None, "fp8", "mxfp4"}:
        raise UnsupportedModel(f"The weight format {method}")
    return config


class Checkpoint:
    """Open safetensors files of a folder; a context manager. Tensors are mapped, not copied."""

    def __init__(self, folder: Path) -> None:
        self._files = weight_files(folder)
        self._open: dict[str, Any] = {}
        self._stack = ExitStack()
        self.folder = folder

    def __enter__(self) -> "Checkpoint":
        for path in self._files:
            handle = self._stack.enter_context(safe_open(path, framework="pt"))
            self._open |= dict.fromkeys(handle.keys(), handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.clear()
        self._stack.close()

    def has(self, name: str) -> bool:
        """Whether the folder holds the tensor."""
        return name in self._open

    def get(self, name: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """A whole tensor in a floating type, checked against the shape the config implies."""
        tensor = self._raw(name)
        if tensor.dtype == torch.float8_e4m3fn:
            tensor = dequantize_fp8(tensor, self._raw(f"{name}_scale_inv"))
        if shape is not None and tuple(tensor.shape) != shape:
            raise ModelMissing(
                f"{self.folder}: {name} is {tuple(tensor.shape)}, the config asks for {shape}."
            )
        return tensor

    def slice(self, name: str, index: int) -> Tensor:
        """`get(name)[index]` of a stacked tensor, reading that part alone."""
        if self.has(f"{name}_blocks"):
            blocks, scales = (
                self._part(f"{name}_blocks", index),
                self._part(f"{name}_scales", index),
            )
            return dequantize_mxfp4(blocks, scales)
        tensor = self._part(name, index)
        if tensor.dtype == torch.float8_e4m3fn:
            return dequantize_fp8(tensor, self._part(f"{name}_scale_inv", index))
        return tensor

    def _raw(self, name: str) -> Tensor:
        if name not in self._open:
            raise ModelMissing(f"{self.folder}: the weights lack the tensor {name}.")
        tensor: Tensor = self._open[name].get_tensor(name)
        return tensor

    def _part(self, name: str, index: int) -> Tensor:
        if name not in self._open:
            raise ModelMissing(f"{self.folder}: the weights lack the tensor {name}.")
        tensor: Tensor = self._open[name].get_slice(name)[index]
        return tensor


def weight_files(folder: Path) -> set[Path]:
    """The safetensors files; pickles and paths out of the folder are refused."""
    index = folder / "model.safetensors.index.json"
    names = ["model.safetensors"]
    if index.is_file():
        try:
            names = sorted(
                set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelMissing(f"{index} is malformed ({error!r}).") from error
    if any(not isinstance(name, str) or Path(name).name != name for name in names):
        raise UnsafeModel(f"{folder}: the weight index points outside the folder.")
    files = {folder / name for name in names}
    missing = sorted(file.name for file in files if not file.is_file())
    if not missing:
        return files
    if any(any(folder.glob(pattern)) for pattern in ("*.bin", "*.pt", "*.pth")):
        raise UnsafeModel(
            f"{folder} holds pickled weights only, which can run code when loaded; "
            "convert them to safetensors."
        )
    raise ModelMissing(f"{folder} lacks {', '.join(missing)}.")


def dequantize_fp8(weight: Tensor, scales: Tensor) -> Tensor:
    """FP8 [n, k] times one scale per 128 x 128 block, [n / 128, k / 128], as float32."""
    rows, columns = weight.shape[-2:]
    wide = scales.float().repeat_interleave(FP8_BLOCK, -2).repeat_interleave(FP8_BLOCK, -1)
    return weight.float() * wide[..., :rows, :columns]


def dequantize_mxfp4(blocks: Tensor, scales: Tensor) -> Tensor:
    """Blocks [n, groups, 16] of two 4-bit numbers a byte, low first; scales [n, groups] hold
    exponents plus 127. -> [n, groups * 32] in bfloat16, which represents every value exactly."""
    table = torch.tensor([*MXFP4_VALUES, *[-value for value in MXFP4_VALUES]])
    pairs = torch.stack((blocks & 15, blocks >> 4), dim=-1).flatten(-2)
    values = torch.ldexp(table[pairs.long()], scales.int()[..., None] - 127)
    return values.flatten(-2).to(torch.bfloat16)
