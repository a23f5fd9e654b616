"""The laws the checks rest on, by name and article. The words come from the law library."""

from apps.contracts.checks.finding import Statute

CIVIL_CODE = "中华人民共和国民法典"
LABOUR_CONTRACT_LAW = "中华人民共和国劳动合同法"
LABOUR_LAW = "中华人民共和国劳动法"
ARBITRATION_LAW = "中华人民共和国仲裁法"
SOCIAL_INSURANCE_LAW = "中华人民共和国社会保险法"
INTERPRETATION_CONTRACTS = "最高人民法院关于适用《中华人民共和国民法典》合同编通则若干问题的解释"
INTERPRETATION_LOANS = "最高人民法院关于审理民间借贷案件适用法律若干问题的规定"
INTERPRETATION_ARBITRATION = "最高人民法院关于适用《中华人民共和国仲裁法》若干问题的解释"


def civil(article: str) -> Statute:
    return Statute(CIVIL_CODE, article)


def labour(article: str) -> Statute:
    return Statute(LABOUR_CONTRACT_LAW, article)
