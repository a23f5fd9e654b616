"""Models that the operator opens to a business or keeps from it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from furrow.core.errors import Invalid
from furrow.metering.errors import ModelWithheld
from furrow.metering.model_rules import model_rules_set, models_allowed
from furrow.metering.models import Hold, ModelRule
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM


def rule(payer, **allowed):
    with payer.tx():
        model_rules_set(
            actor=SYSTEM, allowed={n.replace("any", "*"): v for n, v in allowed.items()}
        )


def names(payer):
    with payer.tx():
        return models_allowed(["b", "m", "a"])


def test_every_model_is_open_until_the_operator_says_otherwise(payer):
    assert names(payer) == ["b", "m", "a"]
    assert payer.hold().model == "m"


def test_withheld_model_gets_no_hold_and_another_business_keeps_it(payer, other_payer):
    rule(payer, m=False)
    assert names(payer) == ["b", "a"]
    with pytest.raises(ModelWithheld) as refused:
        payer.hold()
    assert (refused.value.status, refused.value.details["model"]) == (403, "m")
    with payer.tx():
        assert not Hold.objects.exists()
    assert payer.hold(model="a").model == "a"
    assert other_payer.hold().model == "m"
    # Reading documents is not what the rule is about.
    assert payer.hold(kind="embedding").model == "m"
    rule(payer, m=True)
    assert payer.hold().model == "m"


def test_what_is_not_listed_waits_where_the_rest_is_closed(payer):
    rule(payer, any=False, a=True)
    assert names(payer) == ["a"]
    with pytest.raises(ModelWithheld):
        payer.hold()
    assert payer.hold(model="a").model == "a"


def test_only_a_change_is_audited(payer):
    rule(payer, m=False)
    rule(payer, m=False, a=True)
    with payer.tx():
        log = AuditEntry.objects.filter(object_type="model").order_by("created_at")
        assert [entry.action for entry in log] == ["model.withheld", "model.allowed"]
        with pytest.raises(Invalid):
            model_rules_set(actor=SYSTEM, allowed={"": True})


def test_rules_of_one_business_are_unknown_to_another(payer, other_payer):
    rule(payer, m=False)
    with other_payer.tx():
        assert not ModelRule.objects.exists()


def test_command_shows_and_changes(payer, cast, settings):
    settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "own"
    out = StringIO()
    call_command("models", cast.tenant.slug, "--withhold", "*", "--allow", "own", stdout=out)
    assert out.getvalue().splitlines() == ["own: allowed", "*: withheld"]
    with pytest.raises(CommandError, match="once"):
        call_command("models", cast.tenant.slug, "--withhold", "own", "--allow", "own")
    with pytest.raises(CommandError, match="No business"):
        call_command("models", "nobody")
