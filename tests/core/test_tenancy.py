"""The tenant rule, as PostgreSQL enforces it."""

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from furrow.core import security
from furrow.core.context import TenantNotSet, current_tenant_id, tenant_tx, unscoped
from furrow.knowledge.models import Document, KnowledgeBase
from furrow.tenants.models import AuditEntry, Membership, Tenant


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_every_tenant_table_forces_row_security(db):
    security.verify(connections["default"])


def test_every_model_with_a_tenant_column_is_protected():
    protected = {table for table, _ in security.scoped_tables()}
    with_tenant = {
        m._meta.db_table
        for m in apps.get_models()
        if any(f.name == "tenant" for f in m._meta.fields)
    }
    assert with_tenant <= protected


@pytest.mark.django_db(databases=["default", "owner"])
def test_owner_connection_is_refused_by_the_check():
    with pytest.raises(security.InsecureDatabase):
        security.verify(connections["owner"])


def test_raw_sql_without_a_tenant_sees_nothing(cast):
    for table, _ in security.scoped_tables():
        assert rows(f'SELECT count(*) FROM "{table}"') == [(0,)], table


def test_raw_sql_sees_only_the_own_tenant(cast):
    with tenant_tx(cast.tenant.id):
        assert rows("SELECT id FROM tenants_tenant") == [(cast.tenant.id,)]
        assert {r[0] for r in rows("SELECT tenant_id FROM tenants_membership")} == {cast.tenant.id}


def test_manager_raises_without_a_tenant(cast):
    with pytest.raises(TenantNotSet):
        Membership.objects.count()


def test_row_for_another_tenant_is_refused(cast):
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_tx(cast.tenant.id):
        KnowledgeBase.objects.create(tenant_id=cast.other_tenant.id, name="planted")


def test_reference_to_another_tenants_row_is_refused(cast):
    with tenant_tx(cast.other_tenant.id):
        foreign = KnowledgeBase.objects.create(name="theirs")
    with tenant_tx(cast.tenant.id):
        Document.objects.create(knowledge_base_id=foreign.id, title="x")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows("SET CONSTRAINTS ALL IMMEDIATE")
        Document.objects.all().delete()


def test_nested_block_restores_the_outer_tenant(cast):
    with tenant_tx(cast.tenant.id):
        with tenant_tx(cast.other_tenant.id):
            assert KnowledgeBase.objects.create(name="inner").tenant_id == cast.other_tenant.id
        assert current_tenant_id() == cast.tenant.id
        assert rows("SELECT id FROM tenants_tenant") == [(cast.tenant.id,)]


def test_failed_nested_block_restores_the_outer_tenant(cast):
    with tenant_tx(cast.tenant.id):
        with pytest.raises(ValueError, match="boom"), tenant_tx(cast.other_tenant.id):
            raise ValueError("boom")
        assert rows("SELECT id FROM tenants_tenant") == [(cast.tenant.id,)]


def test_unscoped_sees_all_and_ends_with_its_block(cast):
    with unscoped("test"):
        assert Tenant.objects.count() == 2
    assert rows("SELECT count(*) FROM tenants_tenant") == [(0,)]


def test_unscoped_ends_when_its_block_fails(cast):
    with pytest.raises(ValueError, match="boom"), unscoped("test"):
        raise ValueError("boom")
    assert rows("SELECT count(*) FROM tenants_tenant") == [(0,)]


def test_audit_log_cannot_be_rewritten(cast):
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_tx(cast.tenant.id):
        AuditEntry.objects.update(action="nothing happened")


def test_app_role_cannot_truncate(cast):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        rows("TRUNCATE tenants_membership")
