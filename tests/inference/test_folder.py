import json
from pathlib import Path

import pytest

from inference.pooling.folder import (
    ModelMissing,
    UnsafeModel,
    UnsupportedModel,
    model_locate,
    model_open,
)

CONFIG = {"model_type": "bert", "hidden_size": 8, "max_position_embeddings": 64}
TRANSFORMER = {"path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}


def write(folder: Path, **files: object) -> Path:
    """Write JSON files; `pooling` goes to 1_Pooling/config.json, the others by their name."""
    (folder / "1_Pooling").mkdir(exist_ok=True)
    for name, content in files.items():
        place = "1_Pooling/config.json" if name == "pooling" else f"{name}.json"
        (folder / place).write_text(json.dumps(content))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(b"")
    return write(tmp_path, config=CONFIG)


def test_the_packaged_model_is_found_with_its_settings() -> None:
    model = model_locate("all-MiniLM-L6-v2")
    assert (model.pooling, model.normalize, model.max_length) == ("mean", True, 256)
    assert model.dimensions == (384,)


def test_a_bare_encoder_gets_the_mean_at_unit_length(folder: Path) -> None:
    model = model_open(folder)
    assert (model.pooling, model.normalize, model.max_length) == ("mean", True, 64)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "cls"}, "cls"),
    ],
)
def test_pooling_and_length_come_from_the_folder(folder: Path, pooling, expected) -> None:
    write(
        folder,
        modules=[TRANSFORMER, POOLING],
        pooling=pooling,
        sentence_bert_config={"max_seq_length": 32, "do_lower_case": True},
    )
    model = model_open(folder)
    assert (model.pooling, model.normalize, model.max_length) == (expected, False, 32)
    assert model.lower_case


def test_a_length_beyond_the_positions_is_cut(folder: Path) -> None:
    write(folder, sentence_bert_config={"max_seq_length": 9999})
    assert model_open(folder).max_length == 64
    write(folder, config=CONFIG | {"model_type": "xlm-roberta", "pad_token_id": 1})
    assert model_open(folder).max_length == 62


@pytest.mark.parametrize(
    "files",
    [
        {"modules": [TRANSFORMER, POOLING], "pooling": {"pooling_mode_max_tokens": True}},
        {
            "modules": [TRANSFORMER, POOLING],
            "pooling": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
        },
        {"modules": [TRANSFORMER, {"type": "sentence_transformers.models.Dense"}]},
        {"config": {"model_type": "bert"}},
    ],
)
def test_what_would_give_other_vectors_is_refused(folder: Path, files) -> None:
    with pytest.raises(UnsupportedModel):
        model_open(write(folder, **files))


def test_pickled_weights_alone_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnsafeModel, match="convert them to safetensors"):
        model_open(folder)


@pytest.mark.parametrize("file", ["config", "tokenizer_config"])
def test_a_model_with_its_own_code_is_refused(folder: Path, file: str) -> None:
    content = (CONFIG if file == "config" else {}) | {"auto_map": {"AutoModel": "evil.Model"}}
    with pytest.raises(UnsafeModel, match="code of its own"):
        model_open(write(folder, **{file: content}))


@pytest.mark.parametrize(
    "files", [{"modules": {"type": "x"}}, {"config": []}, {"model.safetensors.index": {"x": 1}}]
)
def test_settings_of_a_wrong_shape_are_named(folder: Path, files) -> None:
    with pytest.raises(ModelMissing, match="malformed"):
        model_open(write(folder, **files))


def test_a_weight_index_cannot_point_outside(folder: Path) -> None:
    index = {"weight_map": {"x": "../other/model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UnsafeModel, match="outside"):
        model_open(folder)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"no config\.json"):
        model_locate(str(tmp_path))
    with pytest.raises(ModelMissing, match="neither a folder nor a hub id"):
        model_locate("/no/such/folder")
    with pytest.raises(ModelMissing, match="no safetensors"):
        model_open(write(tmp_path, config=CONFIG))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelMissing, match="not valid JSON"):
        model_open(tmp_path)
