"""The library every house may begin with: one playbook for each kind of contract, rules of both sides in it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from apps.contracts.models.contracts import Kind
from apps.contracts.playbook.rules import RuleSpec

FOLDER = Path(__file__).parent / "files"


@dataclass(frozen=True)
class StarterPlaybook:
    """`sides` are the roles of the first and the second side, in both languages."""

    key: str
    name: dict[str, str]
    sides: dict[str, dict[str, str]]
    rules: tuple[RuleSpec, ...]


@lru_cache(maxsize=1)
def starters() -> dict[str, StarterPlaybook]:
    common = {rule["key"]: rule for rule in _read("common")["rules"]}
    return {kind: _starter(kind, common) for kind in Kind.values}


def _starter(kind: str, common: dict[str, Any]) -> StarterPlaybook:
    data = _read(kind)
    rules = [RuleSpec.of(rule) for rule in data["rules"]]
    rules += [RuleSpec.of(common[key]) for key in data["common"]]
    return StarterPlaybook(kind, data["name"], data["sides"], tuple(rules))


def _read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
