"""What the codes of contract review are called where the platform shows them: the audit log, the API page."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "contracts.created": _("Contract added"),
    "contracts.version_added": _("New version of a contract"),
    "contracts.updated": _("Contract changed"),
    "contracts.deleted": _("Contract removed"),
    "contracts.restored": _("Contract brought back"),
    "contracts.purged": _("Removed contract deleted for good"),
    "contracts.retried": _("Contract read again"),
    "contracts.review_started": _("Review of a contract started"),
    "contracts.review_cancelled": _("Review of a contract cancelled"),
    "contracts.finding_decided": _("Finding decided"),
    "contracts.finding_assigned": _("Finding given to somebody"),
    "contracts.asked": _("Question over contracts asked"),
    "contracts.question_deleted": _("Question over contracts removed"),
    "contracts.playbooks_begun": _("Starter playbooks taken over"),
    "contracts.playbook_saved": _("Playbook changed"),
    "contracts.playbook_deleted": _("Playbook removed"),
    "contracts.playbook_restored": _("Playbook brought back"),
}
API_GROUPS = {"contracts": _("Contracts: review, findings, playbooks")}
