"""What the shop's codes are called where the platform shows them: the audit log, an answer's trace, the API page."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "support.claim_opened": _("Claim opened"),
    "support.claim_updated": _("Claim changed"),
    "support.claim_first_yes": _("First yes to a claim"),
    "support.claim_approved": _("Claim approved"),
    "support.claim_denied": _("Claim denied"),
    "support.claim_reopened": _("Claim opened again"),
    "support.claim_photo": _("Photo added to a claim"),
    "support.claim_photo_removed": _("Photo of a claim removed"),
    "support.rule_saved": _("Claim rule changed"),
    "support.request_done": _("Wish of a customer done"),
    "support.request_declined": _("Wish of a customer declined"),
    "support.import_read": _("File read"),
    "support.import_applied": _("File taken over"),
    "support.import_undone": _("File taken back"),
    "support.import_dropped": _("File thrown away"),
    "support.sku_deleted": _("Goods taken out"),
    "support.sku_restored": _("Goods put back"),
    "support.pause_saved": _("Shipping pause changed"),
    "support.pause_removed": _("Shipping pause removed"),
    "support.policy_set": _("House rule changed"),
    "support.settings_updated": _("Limits of the shop changed"),
}
REASONS = {
    "not_a_fact": _("It asks for nothing that your tables hold."),
    "no_product": _("It names no goods of yours."),
    "no_region": _("It names no place that your zones know."),
    "not_in_rows": _("Your tables leave this field empty."),
    "beyond_rows": _("It asks for something that no table holds."),
    "figure_not_in_row": _("A figure of the answer stood in no row, so it was not given."),
}
API_GROUPS = {"support": _("Shop: goods, orders, claims")}
