"""Every check, in the order findings of one place are shown."""

from apps.contracts.checks.catalogue_form import FORM
from apps.contracts.checks.catalogue_law import LAW
from apps.contracts.checks.catalogue_sums import SUMS
from apps.contracts.checks.finding import Check

CHECKS: tuple[Check, ...] = (*SUMS, *FORM, *LAW)
