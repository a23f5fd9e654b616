"""Writes on playbooks, inside `tenant_tx`. Each change makes a new version; old ones stay for their reviews."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.contracts.models import Kind, Level, Playbook, PlaybookVersion, Rule, RuleKind, Side
from apps.contracts.playbook.figures import UNITS
from apps.contracts.playbook.rules import RuleSpec, limit_valid, words_valid
from apps.contracts.playbook.starter import starters
from apps.contracts.selectors import playbook_version_newest, rules_of
from furrow.core.errors import Invalid
from furrow.tenants.services import Actor, audit

MOST_RULES = 1000
Edit = Callable[[list[RuleSpec]], list[RuleSpec]]


@transaction.atomic
def starters_ensure(*, actor: Actor, language: str) -> int:
    """Copies the starter library's playbooks that this house does not have; deleted ones stay deleted."""
    known = set(Playbook.objects.exclude(starter="").values_list("starter", flat=True))
    code = "zh" if language.startswith("zh") else "en"
    made = 0
    for key, starter in starters().items():
        if key in known:
            continue
        # A colleague may hand in the first contract at the same moment.
        playbook, is_new = Playbook.objects.get_or_create(
            starter=key, defaults={"name": starter.name[code], "kind": key}
        )
        if is_new:
            _version_add(playbook, starter.rules, note="", user_id=None)
            made += 1
    if made:
        audit(actor, "contracts.playbooks_begun", object_type="playbook", count=made)
    return made


@transaction.atomic
def playbook_create(
    *,
    actor: Actor,
    name: str,
    kind: str = "",
    rules: Sequence[RuleSpec] = (),
    user_id: Any = None,
) -> Playbook:
    playbook: Playbook = Playbook.objects.create(name=_name_checked(name), kind=_kind_checked(kind))
    _version_add(playbook, rules, note="", user_id=user_id)
    audit(actor, "contracts.playbook_saved", object_type="playbook", object_id=playbook.id)
    return playbook


@transaction.atomic
def playbook_rules_set(
    *,
    actor: Actor,
    playbook: Playbook,
    rules: Sequence[RuleSpec],
    note: str = "",
    user_id: Any = None,
) -> PlaybookVersion:
    """A new version with exactly these rules."""
    Playbook.objects.select_for_update().get(id=playbook.id)
    version = _version_add(playbook, rules, note=note, user_id=user_id)
    audit(actor, "contracts.playbook_saved", object_type="playbook", object_id=playbook.id)
    return version


@transaction.atomic
def playbook_rules_edit(
    *, actor: Actor, playbook: Playbook, edit: Edit, user_id: Any = None
) -> PlaybookVersion:
    """A new version with what `edit` makes of the newest one's rules; who edits at the same moment waits."""
    Playbook.objects.select_for_update().get(id=playbook.id)
    rules = edit(rules_of(playbook_version_newest(playbook)))
    return playbook_rules_set(actor=actor, playbook=playbook, rules=rules, user_id=user_id)


@transaction.atomic
def playbook_update(*, actor: Actor, playbook: Playbook, name: str, kind: str) -> Playbook:
    playbook.name, playbook.kind = _name_checked(name), _kind_checked(kind)
    playbook.save(update_fields=["name", "kind"])
    audit(actor, "contracts.playbook_saved", object_type="playbook", object_id=playbook.id)
    return playbook


@transaction.atomic
def playbook_delete(*, actor: Actor, playbook: Playbook) -> None:
    Playbook.objects.filter(id=playbook.id).update(deleted_at=timezone.now())
    audit(actor, "contracts.playbook_deleted", object_type="playbook", object_id=playbook.id)


@transaction.atomic
def playbook_restore(*, actor: Actor, playbook: Playbook) -> None:
    Playbook.objects.filter(id=playbook.id).update(deleted_at=None)
    audit(actor, "contracts.playbook_restored", object_type="playbook", object_id=playbook.id)


def rule_key_make() -> str:
    return f"own-{uuid4().hex[:12]}"


def _version_add(
    playbook: Playbook, rules: Sequence[RuleSpec], *, note: str, user_id: Any
) -> PlaybookVersion:
    if len(rules) > MOST_RULES:
        raise Invalid(
            _("A playbook has at most %(most)s rules.") % {"most": MOST_RULES}, field="rules"
        )
    if len({rule.key for rule in rules}) != len(rules):
        raise Invalid(_("Two rules have the same key."), field="rules")
    highest = playbook.versions.aggregate(Max("number"))["number__max"] or 0
    version: PlaybookVersion = PlaybookVersion.objects.create(
        playbook=playbook, number=highest + 1, note=note.strip()[:200], made_by_id=user_id
    )
    Rule.objects.bulk_create(
        Rule(
            tenant_id=version.tenant_id,
            version=version,
            position=position,
            **{**_checked(rule).to_json(), "statutes": list(rule.statutes)},
        )
        for position, rule in enumerate(rules)
    )
    return version


def _checked(rule: RuleSpec) -> RuleSpec:
    for value, choices, field in (
        (rule.check_kind, RuleKind.values, "check_kind"),
        (rule.side, Side.values, "side"),
        (rule.level, Level.values, "level"),
    ):
        if value not in choices:
            raise Invalid(_("This choice does not exist."), field=field, known=list(choices))
    if not any(str(name).strip() for name in rule.name.values()):
        raise Invalid(_("Say in plain words what the rule wants."), field="name")
    if not rule.terms.get("words"):
        raise Invalid(_("Write at least one phrase to look for."), field="words")
    for name in ("words", "unless", "place"):
        for phrase in rule.terms.get(name, ()):
            if not words_valid(str(phrase)):
                raise Invalid(
                    _("“%(phrase)s” needs words, and room at most twice.") % {"phrase": phrase},
                    field=name if name != "place" else "words",
                )
    if rule.check_kind == RuleKind.TEMPLATE and not any(rule.fallback.values()):
        raise Invalid(_("Write the wording it is compared with."), field="fallback")
    if rule.check_kind in {RuleKind.THRESHOLD, RuleKind.NUMERIC}:
        _limits_checked(rule)
    return rule


def _limits_checked(rule: RuleSpec) -> None:
    if rule.terms.get("unit") not in UNITS:
        raise Invalid(_("Choose what is counted."), field="unit", known=list(UNITS))
    low, high = rule.terms.get("min"), rule.terms.get("max")
    for value, field in ((low, "min"), (high, "max")):
        if not limit_valid(value):
            raise Invalid(_("Give a number from 0 to 1,000,000,000,000."), field=field)
    if low in (None, "") and high in (None, ""):
        raise Invalid(_("Give a lowest or a highest value."), field="max")
    if low not in (None, "") and high not in (None, "") and Decimal(low) > Decimal(high):
        raise Invalid(
            _("The lowest value is above the highest one; change one of them."), field="max"
        )


def _name_checked(name: str) -> str:
    if not name.strip():
        raise Invalid(_("The playbook needs a name."), field="name")
    return name.strip()[:120]


def _kind_checked(kind: str) -> str:
    if kind not in {"", *Kind.values}:
        raise Invalid(_("This kind of contract does not exist."), field="kind")
    return kind
