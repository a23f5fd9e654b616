"""Which chat models the operator lets a business use: all, unless a rule says otherwise. Inside `tenant_tx`."""

from collections.abc import Iterable, Mapping

from furrow.core.errors import Invalid
from furrow.metering.models import ModelRule
from furrow.metering.models.prices import ANY_MODEL
from furrow.tenants.services import Actor, audit


def models_allowed(names: Iterable[str]) -> list[str]:
    """Those of the names that the business may use, in their order; one query."""
    rules = model_rules()
    return [name for name in names if is_allowed(rules, name)]


def model_rules() -> dict[str, bool]:
    """By model; "*" is for every other."""
    return dict(ModelRule.objects.values_list("model", "is_allowed"))


def is_allowed(rules: Mapping[str, bool], name: str) -> bool:
    return rules.get(name, rules.get(ANY_MODEL, True))


def model_rules_set(*, actor: Actor, allowed: Mapping[str, bool]) -> None:
    """Sets the rules of these models ("*": of all others), effective with the next call; others stay. The
    operator's.
    """
    if not all(1 <= len(name) <= 160 for name in allowed):
        raise Invalid("A model has a name of at most 160 characters.", field="model")
    before = model_rules()
    for name, value in allowed.items():
        ModelRule.objects.update_or_create(model=name, defaults={"is_allowed": value})
    for name, value in sorted(allowed.items()):
        if before.get(name) != value:
            action = "model.allowed" if value else "model.withheld"
            audit(actor, action, object_type="model", model=name)
