"""Texts of django-allauth that our catalogue words anew: its Chinese keeps English words in them."""

from django.utils.translation import gettext_noop as _

REWORDED = (
    _("Add Email"),
    _("Add Email Address"),
    _("Bad Token"),
    _("Change Email"),
    _("Confirm Email Address"),
    _("Current email"),
    _("Do you really want to remove the selected email address?"),
    _("Email Address"),
    _("Email Addresses"),
    _("Primary"),
    _("Re-send Verification"),
    _("The following email addresses are associated with your account:"),
    _("The password reset token was invalid."),
    _("Verify Your Email Address"),
    _("You cannot activate two-factor authentication until you have verified your email address."),
)
