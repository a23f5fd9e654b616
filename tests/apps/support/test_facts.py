from tests.apps.support.fact_cases import asked, fact_cases
import pytest

@pytest.mark.parametrize("name",["facts.tsv","facts_fresh.tsv"])
def test_try(shop,name):
    from datetime import datetime
    for model in __import__("apps.support.models",fromlist=["x"]).__all__:
        m = getattr(__import__("apps.support.models",fromlist=["x"]), model)
        if any(f.name=="as_of" for f in m._meta.fields): m.objects.update(as_of=datetime(2026,11,25,1,0,tzinfo=__import__("datetime").timezone.utc))
    res = asked(fact_cases(name))
    for c, r in res:
        if not c.is_right(r): print(c.language, c.question, c.expected, "=>", r.text or r.reason)
    facts=[c.is_right(r) for c,r in res if not c.is_absent]; abs_=[c.is_right(r) for c,r in res if c.is_absent]
    print(sum(facts),len(facts),sum(abs_),len(abs_))
