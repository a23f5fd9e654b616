"""What the widget's server says to a visitor, in the language of the session.

Not in the message catalogues: those follow the page's reader, and errors of lower layers are worded for owners
and programs. A code that is missing here is worded by its status.
"""

_BY_CODE: dict[str, tuple[str, str]] = {
    "origin_not_allowed": (
        "本网站尚未启用该助手。",
        "The assistant is not enabled for this website.",
    ),
    "session_expired": (
        "会话已过期，请重新打开对话。",
        "The session has ended. Open the chat again.",
    ),
    "not_published": ("该助手尚未发布。", "This assistant is not published yet."),
    "text_empty": ("请先输入问题。", "Write a question first."),
    "text_too_long": ("问题不能超过 2000 个字。", "A question may have up to 2000 characters."),
    "conversation_closed": ("这段对话已经结束。", "This conversation is closed."),
    "contact_needed": (
        "请留下联系方式，方便我们找到您。",
        "Please leave a contact so that we can reach you.",
    ),
    "person_unavailable": (
        "抱歉，这里暂时没有人工客服。",
        "Sorry, nobody can take over this chat at the moment.",
    ),
    "idempotency_in_flight": ("消息正在处理，请稍候。", "The message is being handled."),
    "person_asked": (
        "同事看到后会尽快联系您。",
        "A colleague will get in touch with you soon.",
    ),
    "identity_required": (
        "请先登录本网站，再打开对话。",
        "Please sign in to this website first, then open the chat.",
    ),
    "photo_only": ("（照片）", "(Photo)"),
    "not_a_photo": (
        "这个文件不是照片，请选择 JPEG、PNG 或 WebP 图片。",
        "This file is no photo. Choose a JPEG, PNG or WebP picture.",
    ),
    "photo_too_large": (
        "照片太大，请选小一点的。",
        "This photo is too large. Choose a smaller one.",
    ),
    "photos_many": ("一条消息最多带 6 张照片。", "A message may carry up to 6 photos."),
    "address_invalid": ("请填写正确的邮箱地址。", "Please write a valid e-mail address."),
    "transcript_asked": (
        "聊天记录会在几分钟内发送到您的邮箱。",
        "The conversation will be in your mailbox in a few minutes.",
    ),
    "mail_off": ("本店暂时不能发送邮件。", "This shop cannot send e-mail at the moment."),
}
_BY_STATUS: dict[int, tuple[str, str]] = {
    401: ("请重新打开对话。", "Open the chat again."),
    403: ("没有权限。", "This is not allowed."),
    404: ("没有找到。", "There is nothing here."),
    405: ("不支持这种请求。", "This address does not take such a request."),
    409: ("现在不能这样做。", "This is not possible now."),
    413: ("内容太大。", "This is too large."),
    422: ("内容有误。", "Something in the request is wrong."),
    503: (
        "现在咨询的人很多，请稍候。",
        "Many people are writing at this moment. Please wait a little.",
    ),
    429: ("提问有点多了，请稍后再试。", "That was a lot at once. Please try again later."),
}
_FAILED = ("服务器出了点问题，请稍后再试。", "Something went wrong on our side. Please try again.")


def sentence(code: str, language: str, *, status: int = 500) -> str:
    pair = _BY_CODE.get(code) or _BY_STATUS.get(status) or _FAILED
    return pair[0] if language == "zh" else pair[1]
