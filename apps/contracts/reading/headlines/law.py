"""Which law governs, in Chinese and English; what the text does not tell stays empty."""

import re

_WORD = r"(?:[A-Z][a-zA-Z]+)"
_PLACE = rf"(?:{_WORD}(?:\s+(?:of\s+(?:the\s+)?|and\s+)?{_WORD})*(?:’s|'s)?(?:\s+Republic of China)?|U\.S\.A?\.|[PR]\.?\s?(?:R\.?)?O?\.?C\.?)"
_STATE = r"(?:[Ss]tate|[Cc]ommonwealth|[Pp]rovince|[Rr]epublic|Kingdom|Federal Republic|Special Administrative Region|STATE|COMMONWEALTH|PROVINCE)"
# A scan may join the words: `laws ofthe State ofTexas`.
_OF = r"(?:of|OF)\s*(?:[Tt]he\s+|THE\s+)?"
_LAW = re.compile(
    rf"\b(?:[Ll]aws?|LAWS?|[Ll]egislation)\s*(?:\([^)]*\)\s*)?(?:,[^,.;]{{0,60}},\s*)?(?:in\s+(?:effect|force)\s+in\s+|(?:and\s+(?:\w+\s+){{1,2}})?(?:applicable\s+)?(?:of|in|OF)\s*|(?={_STATE}\s))(?:[Tt]he\s+|THE\s+)?"
    rf"(?:United States(?: of America)?,?\s+and\s+{_OF})?(?:{_STATE}\s+{_OF})?(?P<place>{_PLACE})"
    rf"|\b(?:under|by|with|of)\s+(?:the\s+)?(?:substantive\s+|internal\s+)?(?P<adj>{_PLACE})(?:\s+State)?\s+[Ll]aws?\b"
)
_THEREOF = re.compile(
    rf"\b(?:laws\s+thereof|laws\s+of\s+(?:that|such|said)\s+(?:{_STATE}|jurisdiction))\b"
)
_NAMED = re.compile(rf"\b(?:in|of)\s+(?:the\s+)?{_STATE}\s+{_OF}(?P<place>{_PLACE})")
_NO_LAW = re.compile(
    r"organi[sz]ed|existing|incorporated|corporation|formed|applicable to", re.IGNORECASE
)
_NO_PLACE = re.compile(
    r"(?:Federal|Securities|Such|This|Applicable|State|Seller|Buyer|Company|Trial|Bankruptcy|Incorporation|Section|Governing|Any)\b"
)
_SAME_PLACES = {
    "PRC": "People's Republic of China", "P.R.C": "People's Republic of China", "P.R.C.": "People's Republic of China",
    "Chinese": "People's Republic of China", "R.O.C": "Taiwan", "English": "England", "Swiss": "Switzerland",
    "Italian": "Italy", "German": "Germany", "French": "France", "Israeli": "Israel", "Dutch": "Netherlands",
    "Japanese": "Japan", "Swedish": "Sweden", "Danish": "Denmark", "Norwegian": "Norway", "Finnish": "Finland",
    "Spanish": "Spain", "Irish": "Ireland", "Austrian": "Austria", "Belgian": "Belgium", "Scottish": "Scotland",
    "Canadian": "Canada", "Australian": "Australia", "Indian": "India", "Korean": "Korea", "Russian": "Russia",
}  # fmt: skip
_GOVERNED = re.compile(
    r"govern|constru|interpret|enforce|controlled by|subject to the law|\bappl(?:y|ies)\b",
    re.IGNORECASE,
)
_LAW_ZH = re.compile(
    r"(?:适用|依照|根据|受)[^。；\n]{0,12}?(?P<place>中华人民共和国|中国|香港(?:特别行政区)?)(?:现行)?法律"
)


def law_read(text: str) -> str:
    best: tuple[int, str] = (0, "")
    for match in _LAW.finditer(text):
        before = text[max(match.start() - 200, 0) : match.start()]
        governed = list(_GOVERNED.finditer(before + text[match.end() : match.end() + 40]))
        place = re.sub(r"\s+", " ", match["place"] or match["adj"] or "").strip(" .")
        if not governed or _NO_PLACE.match(place) or _NO_LAW.search(before[-50:]):
            continue
        # A state goes before the country that is named with it.
        score = len(governed) + (2 if re.search(_STATE, match[0]) else 0)
        if score > best[0]:
            best = score, _SAME_PLACES.get(place, place.title() if place.isupper() else place)
    chinese = _LAW_ZH.search(text)
    return best[1] or _thereof(text) or (chinese["place"] if chinese else "")


def _thereof(text: str) -> str:
    """`made in the State of Nevada and governed by the laws thereof`."""
    for match in _THEREOF.finditer(text):
        before = text[max(match.start() - 250, 0) : match.start()]
        named = list(_NAMED.finditer(before))
        if named and _GOVERNED.search(before):
            return re.sub(r"\s+", " ", named[-1]["place"])
    return ""
