"""The rules a fruit shop begins with, after what such shops write on their pages; the owner changes them."""

from typing import Any

_PHOTOS = ["label", "box", "goods"]
_AGAINST = ["forwarded", "stored_badly", "natural_trait", "own_risk", "edited_photo", "gift", "clearance"]  # fmt: skip
_SPOILED = {
    "formula": "weight_or_count", "window_hours": 24, "pickup_max_hours": 72, "evidence": _PHOTOS,
    "full_from": "0.5", "exclusions": _AGAINST,
}  # fmt: skip


def _spoiled(**other: Any) -> dict[str, Any]:
    return {**_SPOILED, **other}


# (name zh, name en, reason, categories, terms)
STARTER_RULES: tuple[tuple[str, str, str, list[str], dict[str, Any]], ...] = (
    ("坏果赔付", "Bad fruit", "spoiled", [], _spoiled()),
    ("黄桃坏果赔付", "Bad peaches", "spoiled", ["黄桃"],
     _spoiled(window_hours=12, evidence=[*_PHOTOS, "ice"])),
    ("板栗坏果赔付", "Bad chestnuts", "spoiled", ["板栗"], _spoiled(window_hours=48, tolerance="0.03")),
    ("冷冻品和果汁赔付", "Frozen goods and juice", "spoiled", ["冷冻", "果汁"],
     _spoiled(window_hours=6, evidence=["label", "box"], exclusions=[*_AGAINST, "refrozen"])),
    ("猕猴桃不变软", "Kiwis that stay hard", "not_ripening", ["猕猴桃"],
     {"formula": "weight_or_count", "window_hours": 168, "evidence": ["label", "cut"], "full_from": "0.5",
      "exclusions": _AGAINST}),
    ("重量不足", "Too light", "short_weight", [],
     {"formula": "short_weight", "window_hours": 24, "evidence": ["label", "scale"], "tolerance": "0.03",
      "exclusions": _AGAINST}),
    ("少件", "Pieces missing", "missing", [],
     {"formula": "count_share", "window_hours": 24, "evidence": ["label", "box"], "exclusions": _AGAINST}),
    ("糖度不足", "Not sweet enough", "not_sweet", [],
     {"formula": "sugar", "window_hours": 24, "evidence": ["label", "cut"], "sugar_from": "11.5", "sugar_step": "0.5",
      "percent": "0.05", "cap_share": "0.2", "exclusions": _AGAINST}),
    ("发错货", "Wrong goods", "wrong_item", [],
     {"formula": "full", "window_hours": 24, "evidence": ["label", "goods"], "remedy": "resend_or_refund"}),
    ("送达超时", "Came too late", "late", [],
     {"formula": "full", "late_days": 5, "is_freight_paid": True, "remedy": "refund_or_resend"}),
    ("丢件", "Parcel lost", "lost", [],
     {"formula": "full", "window_hours": 48, "is_freight_paid": True, "remedy": "resend_or_refund", "approve_above": "0"}),
    ("无正当理由拒收", "Refused without a reason", "refused", [], {"formula": "percent", "percent": "0.5"}),
    ("口味和外观", "Taste and looks", "taste", [], {"formula": "none"}),
)  # fmt: skip
