"""The few sentences an assistant says by itself, in the language of the question.

Not in the message catalogues: those follow the reader's interface language, these the question's.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_PHRASES: dict[str, dict[str, str]] = {
    "zh": {
        "unknown": "抱歉，这个问题我不知道：现有资料里没有找到依据。",
        "did_you_mean": "我不确定您问的是哪一个。您是想问下面的问题吗？",
        "about_question": "关于“{question}”：",
        "offer_person": "您可以回复“转人工”，我会把这段对话转给工作人员。",
        "person_asked": "好的，已把这段对话转给工作人员，他们看到后会联系您。",
        "person_near": "好的，已转给工作人员，请稍候，会有人在这里回复您。",
        "person_later": "好的，已把这段对话转给工作人员。现在是休息时间，{when}上班后会回复您。",
        "held": "这个问题工作人员看过后回复您，请稍候。",
        "person_off": "抱歉，这里暂时没有人工客服。",
        "contact": "联系方式：{contact}。",
        "hours": "人工服务时间：{hours}。",
        "leave_contact": "请留下电话或邮箱，方便我们回复您。",
        "contact_noted": "已记下您的联系方式，工作人员会联系您。",
        "thanks": "不客气，还有问题随时问我。",
        "goodbye": "再见，祝您一切顺利。",
        "acknowledged": "好的，还有什么想了解的吗？",
        "other_language": "资料的原文是英文：",
        "failed": "这次没能答上来，请稍后再问一次；急的话可以回复“转人工”。",
    },
    "en": {
        "unknown": "Sorry, I do not know: I found nothing in our documents to base an answer on.",
        "did_you_mean": "I am not sure which one you mean. Is it one of these?",
        "about_question": "About “{question}”:",
        "offer_person": 'Reply "talk to a person" and I will pass this chat on to our team.',
        "person_asked": "All right, I have passed this chat on to our team. They will get in touch "
        "with you.",
        "person_near": "All right, I have passed this chat on to our team. Please hold on, somebody will "
        "answer you here.",
        "person_later": "All right, I have passed this chat on to our team. We are closed right now and will "
        "reply after we open {when}.",
        "held": "A colleague is looking at this and will answer you here in a moment.",
        "person_off": "Sorry, nobody can take over this chat at the moment.",
        "contact": "Contact: {contact}.",
        "hours": "Our team is available: {hours}.",
        "leave_contact": "Please leave a phone number or e-mail address so that we can reply.",
        "contact_noted": "Thank you, I have noted how to reach you. Our team will get in touch.",
        "thanks": "You are welcome. Ask me any time.",
        "goodbye": "Goodbye, and all the best.",
        "acknowledged": "Good. Is there anything else you would like to know?",
        "other_language": "The document is in Chinese:",
        "failed": 'I could not answer this time. Please ask again in a moment, or reply "talk to a '
        'person".',
    },
}


def phrase(name: str, language: str, **values: str) -> str:
    return _PHRASES[language][name].format(**values)


def moment_words(at: datetime, *, now: datetime, zone: str, language: str) -> str:
    """A time of the next days as people say it: `明天8:00`, `tomorrow at 8:00`."""
    local = at.astimezone(ZoneInfo(zone))
    days = (local.date() - now.astimezone(ZoneInfo(zone)).date()).days
    clock = f"{local.hour}:{local.minute:02}"
    if language == "zh":
        day = ("今天", "明天")[days] if days < 2 else f"{local.month}月{local.day}日"
        return f"{day}{clock}"
    day = ("today", "tomorrow")[days] if days < 2 else f"on {local.day} {_MONTHS[local.month - 1]}"
    return f"{day} at {clock}"


def join_sentences(language: str, sentences: list[str]) -> str:
    """Chinese sentences follow each other directly, English ones with a space."""
    return ("" if language == "zh" else " ").join(sentence for sentence in sentences if sentence)
