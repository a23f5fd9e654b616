"""The passages that the verifier's answers are made of, and sets of them with sentences written by hand."""

import json
import lzma
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Source:
    """A passage as retrieval would give it."""

    name: str
    text: str
    heading: str


@dataclass(frozen=True)
class Said:
    """A sentence of an answer. `kind` is `verbatim`, `paraphrase` or what was planted."""

    text: str
    source: Source
    kind: str

    @property
    def is_true(self) -> bool:
        return self.kind in {"verbatim", "paraphrase"}


@dataclass(frozen=True)
class Answer:
    sentences: tuple[Said, ...]
    passages: tuple[Source, ...]

    def raw(self) -> str:
        numbers = {id(passage): n for n, passage in enumerate(self.passages, start=1)}
        return "\n".join(f"{said.text} [{numbers[id(said.source)]}]" for said in self.sentences)


def written_by_hand(name: str) -> list[Answer]:
    """One answer for each passage of a set: a title, the passage, what it supports (+), and what it does not (-, with
    the kind of falsehood).
    """
    found = []
    for block in "\n".join(path.read_text("utf-8") for path in _files_of(name)).split("\n# "):
        title, *rest = block.removeprefix("# ").strip().splitlines()
        text = "\n".join(line for line in rest if line and line[:2] not in {"+ ", "- "})
        source = Source(title, text, title.partition(" ")[2])
        said = [Said(line[2:], source, "paraphrase") for line in rest if line.startswith("+ ")]
        for line in rest:
            if line.startswith("- "):
                kind, _, sentence = line[2:].partition(" ")
                said.append(Said(sentence, source, kind))
        found.append(Answer(tuple(said), (source,)))
    return found


def _files_of(name: str) -> list[Path]:
    """A set is one file of tests/bench/verifying or all of its files in tests/bench/verifier_sets."""
    files = sorted((HERE / "verifying").glob(f"{name}.txt"))
    files += sorted((HERE / "verifier_sets").glob(f"{name}*.txt"))
    if not files:
        raise LookupError(f"there is no set {name!r}: no file of verifier_sets begins with it")
    return files


def demo_sources() -> list[Source]:
    from furrow.knowledge.chunking import chunk_document  # noqa: PLC0415
    from furrow.knowledge.parsing.runner import parse_file  # noqa: PLC0415
    from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415

    found = []
    for tenant in TENANTS:
        for file in tenant.files:
            if file.name.endswith(".jpg") or "scan" in file.name:
                continue
            for chunk in chunk_document(
                parse_file(file.path, file_name=file.name), title=file.title
            ):
                heading = " ".join([file.title, *chunk.heading_path])
                found.append(Source(file.name, chunk.text, heading))
    return found


def cmrc_sources(data: Path) -> list[Source]:
    path = data / "cmrc2018_trial" / "cmrc2018_trial.squad.json.xz"
    if not path.exists():
        return []
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        content = json.load(stream)
    rows = [paragraph for row in content["data"] for paragraph in row["paragraphs"]]
    return [Source(f"cmrc:{row['id']}", row["context"], "") for row in rows]
