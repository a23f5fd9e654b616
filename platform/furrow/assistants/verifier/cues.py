"""The small words that turn a statement: what is allowed, needed or denied, to whom it is limited and when it holds."""

import re

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.tone import tone_of

_CUES = {
    "if": r"如果|如需|如遇|如有|如(?=[\u4e00-\u9fff]{2})(?!何|下|实)|若|假如|要是|凡|的话|一旦|\bif\b|\bwhen\b|\bprovided\b|\bin case\b|\bonce\b|\bwhere\b",
    "except": r"除|例外|不含|不包括|另外|另行|另算|另收|\bexcept|\bunless\b|\bother than\b|\bapart from\b|\bexclud|\bbut not\b",
    "only": r"只|仅|限|才|唯一|方可|\bonly\b|\bexclusive|\bsole|\bno one but\b",
    "all": r"所有|全部|任何|一律|全都|都|均|每(?=[个位款种件辆间份单只项家张本台])|各|统一|\ball\b|\bevery\b|\bany\b|\beach\b|\bboth\b|\beverything\b|\banyone\b|\bevery(?:one|body)\b",
    "always": r"随时|始终|总是|永远|一直|从不|终身|无论|不管|不论|任何时候|长期|照常|照样|无条件|无理由|\balways\b|\bnever\b|\bany ?time\b|\bwhatever\b|\bregardless\b|\bwhenever\b|\bno matter\b|\bforever\b|\beverywhere\b|\banywhere\b",
    "some": r"部分|有些|有的|个别|某些|\bsome\b|\bpartly\b|\bcertain\b|\bpart of\b",
    "need": r"需|须|必须|应当|应|得(?=[先提要在把跟有])|务必|凭|持|要求|\bmust\b|\brequire|\bneed|\bhave to\b|\bhas to\b|\bshould\b",
    "free": r"免费|免收|不收|不要钱|不另|赠送|送(?=\d|一)|免(?=[^除])|包邮|\bfree\b|\bno charge\b|\bno extra\b|\bcomplimentary\b|\bincluded\b|\bfor nothing\b",
    "pay": r"收费|加收|另收|自费|自付|付费|收(?=\d)|交(?=\d)|付(?=\d)|扣|\bcharged?\b|\bcosts?\b|\bpay|\bextra\b|\bfee\b|\bsurcharge\b",
    "included": r"含|包括|包含|在内|\binclud|\bcovers?\b|\bpart of\b|\bcomes? with\b",
    "before": r"之前|以前|前(?![台往后])|提前|早于|\bbefore\b|\bahead\b|\bin advance\b|\bprior\b|\buntil\b|\bby\b|\bbeforehand\b",
    "after": r"之后|以后|后(?!果)|晚于|起(?!诉)|\bafter\b|\bfrom\b|\bsince\b|\bonce\b|\blater\b",
    "most": r"最多|至多|最长|最高|最晚|不超过|不得超过|以内|之内|以下|封顶|上限|\bup to\b|\bat most\b|\bwithin\b|\bmaximum\b|\bno more than\b|\bunder\b|\bbelow\b|\bless than\b|\bno later\b|\blatest\b",
    "least": r"最少|至少|最低|最早|不低于|不少于|以上|满|超过|起步|起订|\bat least\b|\bminimum\b|\bor more\b|\bor older\b|\bover\b|\babove\b|\bmore than\b|\bexceed|\bearliest\b",
    "may": r"(?<!不)(?:可以|允许|支持|接受)|(?<![不可])能(?!否)|(?<!不)可(?!能|是|否)|\bcan\b(?!not|'t| not)|\bmay\b(?! not)|\ballowed\b|\bwelcome\b|\baccept(?:ed|s)?\b|\bpossible\b",
    "may_not": r"不(?:能|得|可以|可|许|准|予|接受|接|支持|允许|退|换|办|送|卖|参加|提供)|禁止|严禁|谢绝|拒绝|无法|\bcannot\b|\bcan't\b|\b(?:can|may|must|is|are|be|do|does|will|shall) not\b|n't\b|\bforbidden\b|\bprohibited\b|\bno\b|\bneither\b|\bnor\b|\bnot\b",
    "no_need": r"无需|无须|不用|不必|不需要|不需|不要求|不强制|\bnot required\b|\bno need\b|\bneedn't\b|\bdon't have to\b|\bnot necessary\b|\boptional\b|\bwithout (?:any )?(?:notice|appointment)\b",
    "more": r"更|比(?!如|例|赛|较)|优于|\bthan\b|\bbetter\b|\bcheaper\b|\bmore\b|\bfaster\b",
    "best": r"最(?!多|少|低|高|晚|早|长|短|迟|后|近|终|好)|第一|领先|顶级|\bbest\b|\bmost\b|\b\w{3,}est\b",
    "promise": r"保证(?!金)|确保|承诺|一定|绝对|肯定|放心|赔偿|负责|\bguarante|\bpromis|\bensur|\babsolutely\b|\bdefinitely\b|\bcompletely\b",
    "full": r"全额|全款|全部|原价|全价|\bfull\b|\bentire\b|\bwhole\b",
    "part": r"半价|部分|一半|打折|\bhalf\b|\bpartial|\bpart\b",
    "self": r"自行|自己|本人|自理|自备|\byour own\b|\byourself\b|\bpersonally\b",
    "because": r"因为|由于|是因|为了|之所以|\bbecause\b|\bdue to\b|\bsince\b|\bso that\b|\bin order to\b",
    "also": r"还(?!是|要|需|可能|没|未)|另外|此外|同时|以及|\balso\b|\bas well\b|\bin addition\b|\bplus\b",
    "first": r"首|第一|头一|初次|\bfirst\b|\binitial",
    "again": r"再|第二|又|重新|\bagain\b|\bsecond\b|\bnext\b",
    "other": r"其他|其它|其余|别的|另一|\bother|\belse\b|\brest\b",
    "unless_us": r"(?:我们|本店|店里|商家|公司|学校)(?:来|负责|承担|出|付|赔)|\bwe (?:pay|cover|bear)\b|\bat our\b",
    "you_pay": r"(?:您|客户|顾客|买家|自己|自行|用户|农户|家长)(?:来|负责|承担|出|付|赔)|\byou (?:pay|cover|bear)\b|\bat your (?:own )?(?:cost|expense|risk)\b",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _CUES.items()}
NAMES = tuple(_PATTERNS)


def cues_of(text: str) -> frozenset[str]:
    said = normal(text)
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(said))


def negations(text: str) -> int:
    return tone_of(text).negations


def polarity(text: str) -> str:
    tone = tone_of(text)
    if tone.is_negated:
        return "neg"
    return "need0" if tone.needs_nothing else "plain"
