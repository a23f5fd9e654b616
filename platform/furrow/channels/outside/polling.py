"""Channels that have to be asked: every mailbox, and WeChat in case a call of it was missed."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from furrow.channels.models import Connection
from furrow.channels.outside.mail.channel import READ_JOB as MAIL_JOB
from furrow.channels.outside.replies import LANE
from furrow.channels.outside.wechat.channel import READ_JOB as WECHAT_JOB
from furrow.core.context import tenant_tx, unscoped
from furrow.core.jobs import job_enqueue

# A mailbox that was away, slow or did not know the password is left in peace for a while: asked twice a minute, a few of
# them would keep every worker of the lane, and a provider closes an account after so many wrong passwords.
PAUSE = timedelta(minutes=5)
_BAD_VISITS = ("no_answer", "dns_failed", "tls_failed", "login_refused", "mail_failed", "mail_slow")
_JOBS = {Connection.Kind.EMAIL: MAIL_JOB, Connection.Kind.WECHAT: WECHAT_JOB}


def connections_poll() -> int:
    """Queues a look into each; how many."""
    with unscoped("find the accounts elsewhere that are to be read"):
        rows = Connection.objects.filter(
            kind__in=_JOBS, is_enabled=True, deleted_at=None, tenant__is_suspended=False
        ).exclude(
            Q(error_code__in=_BAD_VISITS) & Q(checked_at__gt=timezone.now() - PAUSE),
            kind=Connection.Kind.EMAIL,
        )
        found = list(rows.values_list("tenant_id", "id", "kind"))
    for tenant_id, connection_id, kind in found:
        with tenant_tx(tenant_id):
            job_enqueue(kind=_JOBS[kind], subject_id=connection_id, lane=LANE, max_attempts=1)
    return len(found)
