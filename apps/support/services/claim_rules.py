"""Writes on the rules that claims are reckoned by."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.support.claiming.rules import (
    Terms,
)
from apps.support.claiming.starter import STARTER_RULES
from apps.support.models import ClaimRule
from furrow.core.errors import Conflict
from furrow.tenants.services import Actor, audit


@transaction.atomic
def rule_save(*, actor: Actor, rule: ClaimRule | None, **values: Any) -> ClaimRule:
    """A new rule, or a new version in the place of an old one: claims keep the words they were reckoned by."""
    Terms.of_json(values["terms"])
    version = 1
    if rule is not None:
        version = rule.version + 1
        ClaimRule.objects.filter(id=rule.id).update(is_enabled=False)
    made: ClaimRule = ClaimRule.objects.create(version=version, **values)
    audit(actor, "support.rule_saved", object_type="rule", object_id=made.id)
    return made


@transaction.atomic
def rule_switch(*, actor: Actor, rule: ClaimRule, is_enabled: bool) -> None:
    ClaimRule.objects.filter(id=rule.id).update(is_enabled=is_enabled)
    audit(actor, "support.rule_saved", object_type="rule", object_id=rule.id, on=is_enabled)


@transaction.atomic
def rules_begin(*, actor: Actor) -> None:
    """The usual rules of a fruit shop, for a shop that has none."""
    if ClaimRule.objects.filter(is_enabled=True).exists():
        raise Conflict(_("There are rules already."))
    for position, (zh, en, reason, categories, terms) in enumerate(STARTER_RULES):
        rule_save(
            actor=actor, rule=None, name_zh=zh, name_en=en, reason=reason, categories=categories, terms=terms,
            position=position,
        )  # fmt: skip
