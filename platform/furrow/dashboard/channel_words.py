"""What went wrong with a channel, in words for the person who set it up."""

from django.utils.translation import gettext as _


def channel_error(code: str) -> str:
    words = {
        "no_answer": _("The other side did not answer."),
        "refused": _("The other side refused the message."),
        "login_refused": _("The user name or the password was refused."),
        "tls_failed": _("The server's certificate cannot be trusted."),
        "mail_failed": _("The mail server broke off."),
        "mail_slow": _("The mail server took too long. It is asked again in a few minutes."),
        "dns_failed": _("There is no server of this name."),
        "address_refused": _("Addresses inside a private network cannot be used."),
        "port_refused": _("This port is not allowed."),
        "out_of_budget": _("WeChat takes no more until the customer writes again."),
        "switched_off": _("The channel was switched off."),
        "secret_unreadable": _("The stored secret cannot be read. Enter it again."),
        "signature_invalid": _("A call came with a wrong signature."),
        "wechat_40001": _("WeChat does not know this secret."),
        "wechat_40013": _("WeChat does not know this company id."),
        "wechat_60020": _(
            "WeChat does not know this server's address: add it to the trusted ones in the console."
        ),
    }
    if code in words:
        return words[code]
    if code.startswith("wechat_"):
        return _("WeChat refused with the code %(code)s.") % {"code": code.removeprefix("wechat_")}
    return _("It did not work (%(code)s).") % {"code": code} if code else ""
