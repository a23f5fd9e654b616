"""The forms of channels outside, one for each kind."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.assistants.selectors import assistants_list
from furrow.channels.models import Connection
from furrow.channels.outside.mail.servers import PLAIN, SECURITIES, STARTTLS, TLS

_SECURITY_NAMES = {
    TLS: _("Encrypted (TLS)"),
    STARTTLS: _("Encrypted after the start (STARTTLS)"),
    PLAIN: _("Not encrypted, for trials only"),
}


def _security() -> forms.ChoiceField:
    choices = [(name, _SECURITY_NAMES[name]) for name in SECURITIES]
    return forms.ChoiceField(label=_("Encryption"), choices=choices)


class ChannelForm(forms.Form):
    """`values()` and `secrets()` give what `connection_create` and `connection_update` take."""

    VALUES: tuple[str, ...] = ()
    SECRETS: tuple[str, ...] = ()

    name = forms.CharField(label=_("Name"), max_length=80)
    assistant = forms.ChoiceField(label=_("Who answers"))

    def __init__(self, data: Any, *, connection: Connection | None = None) -> None:
        initial = None
        if connection is not None:
            shared = {"name": connection.name, "is_enabled": connection.is_enabled}
            initial = {**shared, **connection.settings}
        super().__init__(data, initial=initial)
        rows = assistants_list()
        self.fields["assistant"].choices = [(str(row.id), row.name) for row in rows]  # type: ignore[attr-defined]
        if connection is not None:
            del self.fields["assistant"]
            self.fields["is_enabled"] = forms.BooleanField(label=_("Answer here"), required=False)
            for name in self.SECRETS:
                self.fields[name].required = False
                self.fields[name].help_text = _("Leave it empty to keep the one there is.")

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.VALUES}

    def secrets(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.SECRETS}


class RestForm(ChannelForm):
    VALUES = ("url",)

    url = forms.CharField(
        label=_("Where answers are posted"),
        max_length=500,
        required=False,
        widget=forms.URLInput(),
        help_text=_("Leave it empty if your program fetches the answers itself."),
    )


class WeChatForm(ChannelForm):
    VALUES = ("corp_id", "open_kfid")
    SECRETS = ("secret", "token", "aes_key")

    corp_id = forms.CharField(
        label=_("Company id (CorpID)"),
        max_length=64,
        help_text=_("In the WeCom console under “My company”."),
    )
    open_kfid = forms.CharField(
        label=_("Customer service account (open_kfid)"),
        max_length=64,
        help_text=_("In the console under “WeChat customer service”, begins with wk."),
    )
    secret = forms.CharField(
        label=_("Secret of WeChat customer service"),
        max_length=100,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    token = forms.CharField(
        label=_("Token of the callback"),
        max_length=64,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    aes_key = forms.CharField(
        label=_("EncodingAESKey of the callback"),
        max_length=43,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class EmailForm(ChannelForm):
    VALUES = (
        "address", "user", "imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security",
    )  # fmt: skip
    SECRETS = ("password",)

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Customers of the mailbox read it as the sender."),
    )
    address = forms.EmailField(label=_("Address of the mailbox"))
    user = forms.CharField(
        label=_("User name"),
        max_length=200,
        required=False,
        help_text=_("Only if it is not the address."),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "QQ, 163 and Gmail give a password of its own for this: look for “app password”."
        ),
    )
    imap_host = forms.CharField(label=_("Server for incoming mail (IMAP)"), max_length=253)
    imap_port = forms.IntegerField(label=_("Port"), initial=993)
    imap_security = _security()
    smtp_host = forms.CharField(label=_("Server for outgoing mail (SMTP)"), max_length=253)
    smtp_port = forms.IntegerField(label=_("Port"), initial=465)
    smtp_security = _security()


FORMS: dict[str, type[ChannelForm]] = {
    Connection.Kind.REST: RestForm,
    Connection.Kind.WECHAT: WeChatForm,
    Connection.Kind.EMAIL: EmailForm,
}
