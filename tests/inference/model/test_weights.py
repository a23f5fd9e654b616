import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.model.checkpoint import dequantize_fp8, dequantize_mxfp4
from inference.model.families import spec_from_config
from inference.model.spec import UnsupportedModel
from inference.model.weights import load_model, weight_bytes
from inference.pooling.folder import ModelMissing, UnsafeModel
from tests.inference.model.conftest import BASE, Session, Tiny


def rewrite(source: Path, target: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """A copy of a checkpoint with its tensors changed."""
    target.mkdir(exist_ok=True)
    (target / "config.json").write_bytes((source / "config.json").read_bytes())
    tensors = change(load_file(source / "model.safetensors"))
    save_file(
        {name: part.contiguous() for name, part in tensors.items()}, target / "model.safetensors"
    )
    return target


def logits(folder: Path, prompt: list[int], **options: Any) -> torch.Tensor:
    chosen = {"device": "cpu", "dtype": torch.float32, "quantization": "none"} | options
    return Session(load_model(folder, **chosen)).step({0: prompt}, all_logits=True)


def stacked(tensors: dict[str, Any]) -> dict[str, Any]:
    """Experts one by one -> experts as two stacked tensors a layer."""
    kept = {name: part for name, part in tensors.items() if ".experts." not in name}
    prefixes = {name.split(".experts.")[0] for name in tensors if ".experts." in name}
    for prefix in prefixes:
        gate, up, down = (
            torch.stack([tensors[f"{prefix}.experts.{n}.{part}.weight"] for n in range(8)])
            for part in ("gate_proj", "up_proj", "down_proj")
        )
        kept[f"{prefix}.experts.gate_up_proj"] = torch.cat((gate, up), dim=1)
        kept[f"{prefix}.experts.down_proj"] = down
    return kept


def test_stacked_experts_equal_separate_ones(
    tiny: Callable[[str], Tiny], tmp_path: Path, prompt: list[int]
) -> None:
    folder = tiny("qwen3-moe").folder
    again = rewrite(folder, tmp_path, stacked)
    torch.testing.assert_close(logits(again, prompt), logits(folder, prompt), atol=0, rtol=0)


def test_shards_equal_one_file(
    tiny: Callable[[str], Tiny], tmp_path: Path, prompt: list[int]
) -> None:
    checkpoint = tiny("mixtral")
    checkpoint.reference.save_pretrained(tmp_path, max_shard_size="40KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    expected = logits(checkpoint.folder, prompt)
    torch.testing.assert_close(logits(tmp_path, prompt), expected, atol=0, rtol=0)


def test_fp8_blocks_are_scaled_back() -> None:
    weight = torch.randn(200, 300)
    scales = torch.rand(2, 3) + 0.5
    wide = scales.repeat_interleave(128, 0).repeat_interleave(128, 1)[:200, :300]
    found = dequantize_fp8((weight / wide).to(torch.float8_e4m3fn), scales)
    torch.testing.assert_close(found, weight, atol=0.02, rtol=0.07)


def test_an_fp8_checkpoint_loads(
    tiny: Callable[[str], Tiny], tmp_path: Path, prompt: list[int]
) -> None:
    folder = tiny("deepseek-v3").folder
    exact: dict[str, Any] = {}

    def squeeze(tensors: dict[str, Any]) -> dict[str, Any]:
        out = {}
        for name, part in tensors.items():
            if "_proj" in name and "kv_a" not in name:
                small = (part / 2).to(torch.float8_e4m3fn)
                scales = torch.full((-(-part.shape[0] // 128), -(-part.shape[1] // 128)), 2.0)
                out |= {name: small, f"{name}_scale_inv": scales}
                exact[name] = small.float() * 2
            else:
                out[name] = exact[name] = part
        return out

    small = rewrite(folder, tmp_path / "fp8", squeeze)
    plain = rewrite(folder, tmp_path / "plain", lambda _: exact)
    assert (small / "model.safetensors").stat().st_size < (
        plain / "model.safetensors"
    ).stat().st_size
    torch.testing.assert_close(logits(small, prompt), logits(plain, prompt), atol=1e-5, rtol=1e-5)


def test_mxfp4_numbers() -> None:
    # Low half first: 0x21 is 0.5 then 1.0; 0x9F is -6.0 then -0.5. Exponent 128 doubles.
    blocks = torch.zeros(1, 1, 16, dtype=torch.uint8)
    blocks[0, 0, 0], blocks[0, 0, 1] = 0x21, 0x9F
    found = dequantize_mxfp4(blocks, torch.tensor([[128]], dtype=torch.uint8))
    assert found.shape == (1, 32)
    assert found[0, :5].tolist() == [1.0, 2.0, -12.0, -1.0, 0.0]


def test_an_mxfp4_checkpoint_loads(
    tiny: Callable[[str], Tiny], tmp_path: Path, prompt: list[int]
) -> None:
    # Widths must fill 4-bit groups of 32, which the shared tiny shape does not.
    folder = tiny("gpt-oss-wide").folder
    exact: dict[str, Any] = {}

    def squeeze(tensors: dict[str, Any]) -> dict[str, Any]:
        out = {}
        generator = torch.Generator().manual_seed(5)
        for name, part in tensors.items():
            if name.endswith(("gate_up_proj", "down_proj")) and ".experts." in name:
                experts, columns, rows = part.shape
                shape = (experts, rows, columns // 32, 16)
                blocks = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
                scales = torch.full(shape[:3], 124, dtype=torch.uint8)
                out |= {f"{name}_blocks": blocks, f"{name}_scales": scales}
                exact[name] = dequantize_mxfp4(blocks, scales).float().transpose(1, 2)
            else:
                out[name] = exact[name] = part
        return out

    small = rewrite(folder, tmp_path / "mxfp4", squeeze)
    plain = rewrite(folder, tmp_path / "plain", lambda _: exact)
    torch.testing.assert_close(logits(small, prompt), logits(plain, prompt), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["llama", "granitemoe", "deepseek-v3", "qwen3-moe"])
def test_the_memory_plan_counts_the_weights(family: str, tiny: Callable[[str], Tiny]) -> None:
    checkpoint = tiny(family)
    spec = checkpoint.load().spec
    saved = sum(part.numel() for part in checkpoint.reference.parameters())
    planned = weight_bytes(spec, "none", torch.float32) / 4
    # Norms and biases are left out of the plan.
    assert saved * 0.97 < planned <= saved


def test_pickled_weights_are_refused(tiny: Callable[[str], Tiny], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((tiny("llama").folder / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    with pytest.raises(UnsafeModel, match="pickled"):
        load_model(tmp_path, device="cpu", dtype=torch.float32)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "own.Model"}}, UnsafeModel, "auto_map"),
        ({"quantization_config": {"quant_method": "awq"}}, UnsupportedModel, "awq"),
        ({"model_type": "mamba", "architectures": ["MambaForCausalLM"]}, UnsupportedModel, "Mamba"),
        ({"hidden_act": "gelu"}, UnsupportedModel, "gelu"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(
    change: dict[str, Any],
    error: type[Exception],
    says: str,
    tiny: Callable[[str], Tiny],
    tmp_path: Path,
) -> None:
    folder = rewrite(tiny("llama").folder, tmp_path, lambda tensors: tensors)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(error, match=says):
        load_model(folder, device="cpu", dtype=torch.float32)


def test_a_refusal_says_where_to_run_it_instead() -> None:
    with pytest.raises(UnsupportedModel, match="vLLM or SGLang"):
        spec_from_config({"model_type": "jamba", "architectures": ["JambaForCausalLM"]})


def test_code_in_a_deepseek_folder_is_ignored(
    tiny: Callable[[str], Tiny], tmp_path: Path, prompt: list[int]
) -> None:
    folder = rewrite(tiny("deepseek-v3").folder, tmp_path, lambda tensors: tensors)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Own"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling.py").write_text("raise SystemExit(1)\n")
    assert logits(folder, prompt).shape == (len(prompt), 96)


def test_an_index_pointing_outside_is_refused(tiny: Callable[[str], Tiny], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((tiny("llama").folder / "config.json").read_bytes())
    index = {"weight_map": {"lm_head.weight": "../model.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UnsafeModel, match="outside"):
        load_model(tmp_path, device="cpu", dtype=torch.float32)


def test_a_missing_tensor_is_named(tiny: Callable[[str], Tiny], tmp_path: Path) -> None:
    def drop(tensors: dict[str, Any]) -> dict[str, Any]:
        del tensors["model.layers.1.self_attn.o_proj.weight"]
        return tensors

    folder = rewrite(tiny("llama").folder, tmp_path, drop)
    with pytest.raises(ModelMissing, match=r"layers\.1\.self_attn\.o_proj"):
        load_model(folder, device="cpu", dtype=torch.float32)


def test_a_tensor_of_another_shape_is_refused(tiny: Callable[[str], Tiny], tmp_path: Path) -> None:
    def cut(tensors: dict[str, Any]) -> dict[str, Any]:
        tensors["model.norm.weight"] = tensors["model.norm.weight"][:-1]
        return tensors

    folder = rewrite(tiny("llama").folder, tmp_path, cut)
    with pytest.raises(ModelMissing, match=r"model\.norm\.weight"):
        load_model(folder, device="cpu", dtype=torch.float32)


def test_older_configs_keep_rope_apart() -> None:
    old = {
        "model_type": "deepseek_v3",
        "architectures": ["DeepseekV3ForCausalLM"],
        "rope_theta": 50000.0,
        "rope_scaling": {
            "type": "yarn",
            "factor": 40,
            "original_max_position_embeddings": 4096,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
        },
    }
    sizes = {
        "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8,
        "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 8,
    }  # fmt: skip
    rope = spec_from_config(BASE | sizes | old).rope
    assert (rope.theta, rope.kind, rope.factor) == (50000.0, "yarn", 40.0)
    assert rope.attention_factor == 1.0
