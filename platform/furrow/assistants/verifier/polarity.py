"""Yes and no, bounds of behaviour, promises: words that turn a sentence into another one."""

import re
from dataclasses import dataclass

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import coverage, words_of

# Not negations, though they look like it; blanked before the search.
_IDIOMS = re.compile(
    r"不(?:能|得|可|会|应|可以)?(?:超过|低于|高于|少于|多于|早于|晚于|大于|小于|迟于)|不超|不仅|不但|不过|不同|不久|不断|不足|不限|不收费|不收钱|不要钱|不客气|不妨|不管|不论|不锈"
    r"|不然|不如|不一定|是否|能否|可否|与否|要不要|能不能|可不可以|有没有|是不是|会不会|没收|无论|无理由|无条件|未来|未成年|非常|并非常|别人|别的|别处|分别|级别|特别|类别|性别|别墅|区别|识别|个别|鉴别|告别|别名|别称|别号|除非"
    r"|不齐|不全|不清|不到|不明|对不对|不符|不完整|不当|不均|不一|没问题|不满意|不满|不服|不可抗力|不动产|无人机|无线|无锡|无果"
    r"|not only|no less than|no longer than|no more than|not less than|not more than|no later than|not later than|no matter|no doubt|not exceed(?:ing)?|whether or not"
    r"|if not|no\. ?\d|no problem|nothing else"
)
_NEGATION = re.compile(
    r"不|没|无(?!需|须)|未|勿|别|非(?=本|法|常规)|禁止|严禁|拒绝|谢绝|暂停|停发|停止(?!食用|使用)|停运|关闭|关园|关门|闭园|停业|休息|除外|排除|免除|取不|难以|切勿|杜绝"
    r"|\bnot\b|n't\b|\bno\b|\bnor\b|\bnever\b|\bcannot\b|\bwithout\b|\bneither\b|\bnone\b|\bunable\b|\bnobody\b|\bnothing\b|\bexcluded?\b|\bexcludes\b|\bexcluding\b"
    r"|\bexcept\b|\brefuse[sd]?\b|\bprohibit|\bforbid|\bban(?:ned)?\b|\b(?:is|are|be|remains?|stays?) closed\b|\bclosed on\b|\bsuspend|\bpaused?\b|\bstops?\b|\bimpossible\b|\bineligible\b|\bunavailable\b|\bfails?\b"
)
# Needing nothing is no refusal: 无需 and 不用 stand apart from 不能.
_NO_NEED = re.compile(
    r"无需|无须|不用|不必|不需要|不需|不强制|不要求|不是必须|没必要|免于|not required|not needed|not necessary|no need|needn't|not have to|n't have to|not obliged|not mandatory|optional"
)
_NEED = re.compile(
    r"需要|必须|须|应当|务必|强制|要求|\bmust\b|\brequired?\b|\bneeds?\b|\bhave to\b|\bhas to\b|\bmandatory\b|\bobliged\b"
)

# How far behind a negation what it denies is sought, and how much of that the other text must hold.
_DENIED_REACH, _DENIED_SHARE = 16, 0.5
# A claim of one of these groups stands only where the evidence makes one of the same group.
_CLAIM_GROUPS: dict[str, str] = {
    "guarantee": r"保证(?!金)|确保|担保|承诺|包(?:退|换|赔|治|甜|好|过|赢|到|满意)|放心|\bguarante|\bpromis|\bensur|\bassur|\bwarrant",
    "certain": r"绝对|一定(?!程度|要|的)|肯定|必定|必然|毫无|万无一失|零风险|百分百|100%(?=放心|安全|保证|满意|有效|成功|的?把握| safe| sure| guarante)|\babsolutely\b|\bdefinitely\b|\bcertainly\b|\bundoubtedly\b|\brisk[- ]free\b|\bwithout exception\b|\bsurely\b",
    "always": r"永远|永久|终身|从不|从来|总是|始终|长期有效|一年四季|无限期|\balways\b|\bnever\b|\bforever\b|\blifetime\b|\bpermanent|\bevery time\b|\bindefinite",
    "any time": r"随时(?!联系|咨询|告诉|问)|任何时候|任何时间|\bat any time\b|\banytime\b|\bany time\b|\bat any moment\b",
    "everywhere": r"无论|不论|不管|任何情况|任何条件|无条件|全国|全球|全世界|全网|没有例外|毫无例外|一律如此|\bnationwide\b|\bworldwide\b|\bwhatever\b|\bno matter\b|\bregardless\b|\beverywhere\b|\banywhere\b|\bin every case\b|\bin all cases\b|\ball circumstances\b|\bany circumstances\b|\bunconditional|\bunlimited\b|\bexceptions?\b|\bnever otherwise\b|\bno exceptions?\b",
    "whole": r"所有|全部|任何|一律|全都|统统|完全|全程|全场|不限|无限|\ball\b|\bevery\b|\bany\b|\bentire|\bcompletely\b|\bfully\b|\btotally\b",
    "only": r"只有|唯一|仅限|仅有|独家|只限|\bonly\b|\bexclusive|\bsole(?:ly)?\b",
    "best": r"最(?!多|少|低|高|晚|早|长|短|迟|大|小|近|后|终|初|重要的是|好在)\w|最好(?!在|是|先|不|别)|最(?:低|高)价|最高档|最大的|第一名|首屈一指|领先|顶级|一流|著称|冠军|全网|同类|同行|\bbest\b|\bcheapest\b|\bfastest\b|\bfinest\b|\bleading\b|\btop[- ]rated\b|\bnumber one\b|\bunrivall?ed\b|\baward|\bfamous\b|\bmost \w+(?:ed|ful|ive|ous|ar|able|ant|ent|ing)\b|\b\w{3,}est\b(?<!request)(?<!interest)(?<!latest)(?<!harvest)(?<!earliest)(?<!nearest)(?<!forest)(?<!honest)(?<!chest)(?<!test)(?<!longest)(?<!lowest)(?<!highest)(?<!invest)(?<!suggest)(?<!arrest)(?<!protest)(?<!guest)(?<!west)(?<!contest)(?<!rest)(?<!conquest)(?<!largest)(?<!smallest)",
    "more": r"更(?!改|换|新|名|正|替|为)|比(?!如|例|赛|较|利|重|对|亚|基)\S{1,12}(?:更|还|要|便宜|贵|快|慢|好|高|低|多|少|大|小|甜|强|早|晚)|优于|胜过|超越|远超|高出|\b(?:cheaper|faster|better|sweeter|quicker|larger|bigger|safer|stronger|fresher|superior|slower|nicer|tastier|healthier)\b|\b(?:lower|higher) than\b",
}
_CLAIMS = {name: re.compile(pattern) for name, pattern in _CLAIM_GROUPS.items()}
_ANSWERS_TO = {
    # A word of the group, or what an honest rewording may have made it of.
    "certain": r"必须|应当|必定|一定|绝对|\bmust\b|\bshall\b",
    "whole": r"所有|全部|任何|一律|全|都|各|每|均|凡|整|统一|不限|\ball\b|\bevery\b|\beach\b|\bany\b|\bwhole\b|\bfull|\beverything\b|\bboth\b|\bthroughout\b|\bneither\b|\bor\b",
    "always": r"永远|永久|终身|从不|从未|从来|总是|始终|一直|长期|没有期限|\balways\b|\bnever\b|\bforever\b|\bpermanent|\bno end\b|\bwithout an end\b",
    "any time": r"随时|任何时候|任何时间|\bany ?time\b|\bany moment\b|\bfree",
    "everywhere": r"无论|不论|不管|任何情况|无条件|无理由|全国|全球|全世界|世界各地|全网|例外|\bnationwide|\bworldwide|\bwhatever\b|\bno matter\b|\bregardless\b|\beverywhere\b|\banywhere\b|\bno questions\b|\bunconditional|\bunlimited\b|\bexcept",
    "only": r"只|仅|唯一|限|除|才|独|不|\b1\b|一个|\bonly\b|\bexclusive|\bsole|\bno other\b|\bexcept|\bnot\b|\bno\b",
    "guarantee": r"保证|确保|担保|承诺|保障|包(?:退|换|赔|治|甜|好)|\bguarante|\bpromis|\bensur|\bassur|\bwarrant",
    "best": r"最|第一名|首屈|首个|首家|首位|冠军|领先|著名|知名|闻名|\bbest\b|\bmost\b|est\b|\bleading|\bfamous|\baward|\bwell[- ]known",
    "more": r"更|比(?!例|如|赛)|较|优于|差别|差额|贵|便宜|\bthan\b|\bmore\b|\bless\b|\b(?:cheap|fast|sweet|quick|larg|bigg|saf|strong|fresh|high|low)er\b|\bexceed|\babove\b|\bbelow\b|\bdiffer",
}
_NO_GUARANTEE = re.compile(
    r"(?:不能|不|无法|没法|没办法|难以|cannot|can't|not|don't|doesn't)\s?(?:保证|确保|承诺|guarantee|promise|ensure)"
)
_ANSWERS = {name: re.compile(pattern) for name, pattern in _ANSWERS_TO.items()}

# What costs the shop money or trust when it is invented: each only where the evidence speaks of the same.
_COMMITMENTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"免费|免单|免运费|包邮|免邮|不收费|不要钱|零元|(?<!\w)免(?!税|疫|得|责|签)|\bfree\b|\bcomplimentary\b|\bno charge\b|\bwaived?\b|\bat no cost\b",
        r"赠送|赠品|附赠|额外送|送一|加送|\bgifts?\b|\bbonus\b|\bgiveaway|\bthrow in\b",
        r"优惠|折扣|打折|特价|促销|满减|立减|补贴|降价|%|\bdiscount|\bcoupon|\bpromotion|\brebate|\bvoucher|\bcheaper\b|\bsubsid|\bless\b|\blower\b",
        r"退款|退货|退还|退全|全额退|退回|返还|\brefund|\breturn|\bmoney back\b|\bpaid back\b|\bback\b",
        r"赔付|赔偿|理赔|赔|\bcompensat|\bclaim|\bdamages\b|\brefund|\bpaid\b",
        r"保险|承保|投保|\binsur",
        r"质保|保修|三包|\bwarrant",
        r"升级|\bupgrad",
        r"会员|积分|\bmember|\bpoints?\b|\bloyalty\b",
        r"上门|\bat your door|\bhome visit|\bdoorstep|\bdoor-to-door",
        r"安装|装修|\binstall",
        r"分期|贷款|借款|利息|\binstal?ment|\bloan|\binterest\b|\bcredit\b",
        r"获奖|奖项|认证|有机|绿色食品|专利|\baward|\bcertifi|\borganic\b|\bpatent",
        r"治疗|治愈|疗效|降血糖|降血压|抗癌|减肥|美容|\bcure|\btreat|\bheal|\bdiabet|\bcancer\b|\bweight loss",
        r"24小时在线|全天候|全年无休|\b24/7\b|\bround the clock\b",
        r"预付|押金|定金|\bdeposit|\bprepay",
        r"加急|当日达|次日达|隔日达|极速|\bexpress\b|\bsame[- ]day|\bovernight\b|\bnext[- ]day",
        r"发票|\binvoice",
        r"罚款|违约金|滞纳金|\bpenalt|\bfined\b|\bfines\b|\blate fee",
        r"律师|法院|起诉|仲裁|\blawyer|\bcourt|\bsue\b|\barbitrat|\blegal",
        r"直播|视频|\bvideo|\blive ?stream|\bfilm",
        r"(?<![a-z])app(?![a-z])|小程序|公众号|\bmini program",
        r"政府|国家|官方|\bgovernment|\bofficial|\bstate\b",
        r"进口|\bimported\b",
        r"无籽|无核|\bseedless\b",
    )
)
# One of a pair in the sentence, the other and only the other in the evidence.
_OPPOSITES = (
    (r"冷藏|冰箱|冷冻", r"常温|室温"),
    (
        r"之前|以前|(?<![之以目当提年])前(?!\w?(?:往|台|后))|\bbefore\b",
        r"之后|以后|(?<![之以最然今])后(?!\w?果)|\bafter\b",
    ),
    (r"全额|全款|全部退|\bfull refund\b|\bin full\b", r"部分退|退部分|\bpartial\b|\bpartly\b"),
    (r"最低|最少|\bminimum\b", r"最高|最多|\bmaximum\b"),
    (r"提前", r"推迟|延后|延迟"),
    (r"成人|\badults?\b", r"儿童|\bchild(?:ren)?\b"),
    (r"\bfirst\b|首", r"\blast\b|末"),
    (r"增加|提高|上浮|上涨|升高", r"减少|降低|下浮|下降|减半"),
    (r"(?<!未)开封前|未开封", r"开封后"),
    (r"早于", r"晚于"),
    (r"现金", r"转账"),
    (r"甲方", r"乙方"),
    (r"\bincreas", r"\bdecreas|\breduc"),
    (
        r"\bincluding\b|\bincludes?\b|\bincluded\b",
        r"\bexcluding\b|\bexcludes?\b|\bwithout\b|\bexcluded\b",
    ),
    (r"\bsupplier\b", r"\bbuyer\b"),
    (r"\brefrigerat|\bfridge\b|\bchilled\b", r"\broom temperature\b"),
    (r"\bwholesale\b", r"\bretail\b"),
    (r"零售", r"批发"),
    (r"整个|未剥", r"剥开"),
    (r"\bwith\b", r"\bwithout\b"),
    (r"\bopened\b", r"\bunopened\b"),
    (r"\bhard\b", r"\bsoft\b"),
    (r"男", r"女"),
    (r"父亲", r"母亲"),
    (r"东", r"西"),
    (r"南", r"北"),
)
# Only where both speak of the same: a passage often gives an upper and a lower end.
_NEAR_OPPOSITES = (
    (
        r"(?<![不能得可])(?:超过|超出|多于|高于)|\bexceed",
        r"不到|不足|(?<!不)(?:少于|低于)|未满|\bfall short",
    ),
    (
        r"最多|至多|以内|之内|以下|不超过|\bup to\b|\bat most\b|\bwithin\b|\bmaximum\b|\bbelow\b|\bunder\b|\bless than\b",
        r"最少|至少|最低|以上|不低于|不少于|\bat least\b|\bminimum\b|\bmore than\b|\babove\b",
    ),
    (r"(?<!不)免费|免收|不收|\bfree\b", r"(?<!不)收费|加收|付费|\bcharged?\b|\bcosts? extra\b"),
    (r"自行承担|买家承担|您承担|客户承担|自费", r"由(?:我们|店铺|商家|卖家|本店)承担"),
)
_PAIRS = tuple((re.compile(left), re.compile(right)) for left, right in _OPPOSITES)
_NEAR_PAIRS = _PAIRS + tuple(
    (re.compile(left), re.compile(right)) for left, right in _NEAR_OPPOSITES
)


@dataclass(frozen=True)
class Tone:
    """`negations` counts them; `is_negated` is what most comparisons need."""

    negations: int
    needs_nothing: bool
    needs: bool

    @property
    def is_negated(self) -> bool:
        return self.negations > 0


def tone_of(text: str) -> Tone:
    """Of one clause."""
    said = _IDIOMS.sub(" ", normal(text))
    needless = bool(_NO_NEED.search(said))
    said = _NO_NEED.sub(" ", said)
    return Tone(len(_NEGATION.findall(said)), needless, bool(_NEED.search(said)))


def denies(negated: str, plain: str) -> bool:
    """Whether what the first text denies is what the second one says. A bare refusal denies whatever stands there."""
    said = _NO_NEED.sub(" ", _IDIOMS.sub(" ", normal(negated)))
    words = words_of(plain)
    heads = [said[match.end() : match.end() + _DENIED_REACH] for match in _NEGATION.finditer(said)]
    for head in heads:
        held = coverage(re.split(r"[,;。、.!?|]", head)[0], words)
        if held.weight == 0 or held.held / held.weight >= _DENIED_SHARE:
            return True
    return False


def unfounded_claim(sentence: str, evidence: str) -> str:
    """The group of a sweeping claim that the evidence does not make; empty when there is none."""
    said, known = (_NO_GUARANTEE.sub(" ", normal(text)) for text in (sentence, evidence))
    for name, pattern in _CLAIMS.items():
        found = pattern.search(said)
        if found and not _ANSWERS.get(name, pattern).search(known):
            # "not to any other country" rewords a plain refusal.
            if name == "whole" and tone_of(_clause_around(said, found.start())).is_negated:
                continue
            return found[0]
        if found and name == "best" and found[0][0] == "最" and found[0][:2] not in known:
            return found[0]
    return ""


def _clause_around(text: str, at: int) -> str:
    return re.split(r"[,;。:]", text[:at])[-1] + re.split(r"[,;。:]", text[at:])[0]


def unfounded_commitment(sentence: str, evidence: str) -> str:
    """The words of a promise of which the evidence says nothing at all."""
    said, known = normal(sentence), normal(evidence)
    for pattern in _COMMITMENTS:
        found = pattern.search(said)
        if found and not pattern.search(known):
            return found[0]
    return ""


def opposite(sentence: str, evidence: str, *, is_near: bool) -> str:
    """The word of a pair that the sentence has where the evidence has only the other; empty without one."""
    said, known = (normal(text).replace("free of charge", "free") for text in (sentence, evidence))
    for left, right in _NEAR_PAIRS if is_near else _PAIRS:
        for one, other in ((left, right), (right, left)):
            found = one.search(said)
            if found and not other.search(said) and other.search(known) and not one.search(known):
                return found[0]
    return ""
