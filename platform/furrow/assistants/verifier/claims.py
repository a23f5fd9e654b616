"""Promises and sweeping words: a sentence may make only those that its evidence makes."""

import re

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.tone import tone_of

# A claim of one of these groups stands only where the evidence makes one of the same group.
_CLAIM_GROUPS: dict[str, str] = {
    "guarantee": r"保证(?!金)|确保|担保|承诺|包(?:退|换|赔|治|甜|好|过|赢|到|满意)|放心|\bguarante|\bpromis|\bensur|\bassur|\bwarrant",
    "certain": r"绝对|一定(?!程度|要|的)|肯定|必定|必然|毫无|万无一失|零风险|百分百|100%(?=放心|安全|保证|满意|有效|成功|的?把握| safe| sure| guarante)|\babsolutely\b|\bdefinitely\b|\bcertainly\b|\bundoubtedly\b|\brisk[- ]free\b|\bwithout exception\b|\bsurely\b",
    "always": r"永远|永久|终身|从不|从来|总是|始终|长期有效|一年四季|无限期|\balways\b|\bnever\b|\bforever\b|\blifetime\b|\bpermanent|\bevery time\b|\bindefinite",
    "any time": r"随时(?!联系|咨询|告诉|问)|任何时候|任何时间|\bat any time\b|\banytime\b|\bany time\b|\bat any moment\b",
    "everywhere": r"无论|不论|不管(?!的?(?:[,，。;；!！]|$))|任何情况|任何条件|无条件|全国|全球|全世界|全网|没有例外|毫无例外|一律如此|\bnationwide\b|\bworldwide\b|\bwhatever\b|\bno matter\b|\bregardless\b|\beverywhere\b|\banywhere\b|\bin every case\b|\bin all cases\b|\ball circumstances\b|\bany circumstances\b|\bunconditional|\bunlimited\b|\bexceptions?\b|\bnever otherwise\b|\bno exceptions?\b",
    "whole": r"所有|全部|任何|一律|全都|统统|完全|全程|全场|不限|无限|\ball\b|\bevery\b|\bany\b|\bentire|\bcompletely\b|\bfully\b|\btotally\b",
    "only": r"只有|唯一|仅限|仅有|独家|只限|\bonly\b(?!\s*[$€£¥]?\d)|\bexclusive|\bsole(?:ly)?\b",
    "best": r"(?!最便宜的?(?:是|要|也要|得|也得)?\d)(?:\bof its kind\b|\bin the (?:country|region|world)\b|最(?!多|少|低|高|晚|早|长|短|迟|大|小|近|后|终|初|重要的是|好在)\w|最好(?!在|是|先|不|别)|最(?:低|高)价|最高档|最大的|第一名|首屈一指|领先|顶级|一流|著称|冠军|全网|同类|同行|\bbest\b|\bcheapest\b|\bfastest\b|\bfinest\b|\bleading\b|\btop[- ]rated\b|\bnumber one\b|\bunrivall?ed\b|\baward|\bfamous\b|\bmost \w+(?:ed|ful|ive|ous|ar|able|ant|ent|ing)\b|\b\w{3,}est\b(?<!request)(?<!interest)(?<!latest)(?<!harvest)(?<!earliest)(?<!nearest)(?<!forest)(?<!honest)(?<!chest)(?<!test)(?<!longest)(?<!lowest)(?<!highest)(?<!invest)(?<!suggest)(?<!arrest)(?<!protest)(?<!guest)(?<!west)(?<!contest)(?<!rest)(?<!conquest)(?<!largest)(?<!smallest))",
    "compared": r"比.{0,10}?(?:其他|其它|别的|别家|别处|同行|同类|同档|市面|市场|外面|隔壁|对手|任何|镇上|全[县市省])|\b(?:than|to|unlike) (?:any |the |those of |that of |at |in |all )*(?:other|others|another|competit|rival|elsewhere|anyone|anywhere|most|average|market|everywhere|neighbou?r)",
    "more": r"更(?!改|换|新|名|正|替|为)|比(?!如|例|赛|较|利|重|对|亚|基)\S{1,12}(?:更|还|要|便宜|贵|快|慢|好|高|低|多|少|大|小|甜|强|早|晚)|优于|胜过|超越|远超|高出|\b(?:cheaper|faster|better|sweeter|quicker|larger|bigger|safer|stronger|fresher|superior|slower|nicer|tastier|healthier)\b|\b(?:lower|higher) than\b",
}
_CLAIMS = {name: re.compile(pattern) for name, pattern in _CLAIM_GROUPS.items()}
_ANSWERS_TO = {
    # A word of the group, or what an honest rewording may have made it of.
    "certain": r"必须|应当|必定|一定|绝对|\bmust\b|\bshall\b",
    "whole": r"所有|全部|任何|一律|全|都|各|每|均|凡|整|统一|不限|\ball\b|\bevery\b|\beach\b|\bany\b|\bwhole\b|\bfull|\beverything\b|\bboth\b|\bthroughout\b|\bneither\b|\bor\b",
    "always": r"永远|永久|终身|从不|从未|从来|总是|始终|一直|长期|没有期限|\balways\b|\bnever\b|\bforever\b|\bpermanent|\bno end\b|\bwithout an end\b",
    "any time": r"随时|任何时候|任何时间|全年|\ball year\b|\bany ?time\b|\bany moment\b|\bfree",
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

_OVER_ALL = re.compile(
    r"(?:所有|全部|任何|每一?[个位款种件辆间份单只项家张本台](?=都|[\u4e00-\u9fff]{1,6}都))|\b(?:all|every|any) (?!of\b|day|week|month|year|hour|time|round|other|you\b|that\b|this\b|the time)[a-z]{3,}"
)
_ALL_OF_ELSE = re.compile(
    r"(?:其他|其它|其余)(?:的|所有)?(?:均|都|全部)?|每(?:一)?(?:月|周|天|日|年|晚|小时|分钟|季度?|平方米|平米|公里|公斤|斤|米|升|次|延迟|延长|满|增加|超)"
    r"|\b(?:each|every|per|all) (?:day|week|month|year|hour|minute|night|mile|kilo|kg|page|additional|extra|further)s?\b|\ball (?:the )?(?:others?|other \w+|rest)\b"
)
_SAYS_ALL = re.compile(
    r"所有|全部|任何|一律|全|都|各|每|均|凡|整|统一|不限|不论|无论|\b(?:all|every|each|any|whole|full|everything|throughout|whatever|regardless|no)\b"
)

# What costs the shop money or trust when it is invented: each only where the evidence speaks of the same.
_COMMITMENTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"免费|免单|免运费|包邮|免邮|不收\w{0,4}费|不另收|不额外收|不要钱|零元|(?<!\w)免(?!税|疫|得|责|签)|\bfree\b|\bcomplimentary\b|\bno charge\b|\bwaived?\b|\bat no cost\b",
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


def over_all(clause: str, evidence: str) -> str:
    """所有项目, "every order": the words that speak for all of a kind where the place they come from does not; empty
    without any. "Every day" and "all others" there speak for days and others alone.
    """
    found = _OVER_ALL.search(normal(clause))
    if not found or tone_of(clause).is_negated:
        return ""
    return "" if _SAYS_ALL.search(_ALL_OF_ELSE.sub(" ", normal(evidence))) else found[0]


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
