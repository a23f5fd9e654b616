"""The suite's cast is written in bulk; it must stay what the services make."""

from furrow.accounts.services import user_ensure
from furrow.core.context import tenant_tx
from furrow.tenants.models import AuditEntry, Membership, Role
from furrow.tenants.services import tenant_create

# Different for each row: compared by other means, or only a moment.
OWN = {"id", "created_at", "email", "user", "tenant", "object_id", "slug", "password"}


def stated(row):
    return {f.name: getattr(row, f.attname) for f in row._meta.fields if f.name not in OWN}


def test_cast_is_what_the_services_make(cast):
    owner = user_ensure(email="other@example.test", name="Owner", is_verified=True)
    tenant = tenant_create(name="Orchard", owner=owner, slug="other")

    assert stated(owner) == stated(cast.owner)
    assert not cast.owner.has_usable_password()
    assert stated(owner.emailaddress_set.get()) == stated(cast.owner.emailaddress_set.get())
    assert stated(tenant) == stated(cast.tenant)
    assert of(Membership, tenant) == of(Membership, cast.tenant, role=Role.OWNER)
    assert of(AuditEntry, tenant) == of(AuditEntry, cast.tenant) != []


def of(model, tenant, **wanted):
    with tenant_tx(tenant.id):
        return [stated(row) for row in model.objects.filter(**wanted)]
