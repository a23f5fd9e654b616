"""A person is reachable in any wording, and a question about the staff stays a question."""

import pytest

from furrow.assistants.human_wish import wants_person

WISHES = """
转人工
人工
人工客服
真人
我要找人工客服
帮我转接人工服务
找客服
我想和真人说话
能不能换个真人来回答
叫你们老板来
我要联系店主
有没有真人在
有人工客服吗
請幫我轉人工
转客服！！
客服在吗
我不想跟机器人说话
我要跟你们经理谈
让客服联系我
麻烦找一下你们负责人
想咨询一下律师
我要人工
human
Human please
agent
operator
I want to talk to a real person
Can I speak to someone?
let me talk to a human
connect me to an agent
Transfer me to customer service
get me a manager
I need a human
Is there a real person here?
Can someone call me?
I'd like to speak with a representative please
stop, I don't want to talk to a bot
live chat
Please put me through to the owner
could I reach your support team
""".strip().splitlines()

QUESTIONS = """
你好
运费多少
橙子是人工种植的吗
是人工智能吗
客服电话是多少
客服几点上班
几点有人在线
律师费多少钱
人工费怎么算
不用转人工，我就问一下运费
两个人去采摘多少钱
老板多大年纪
经理的邮箱是什么
这是真人照片吗
一个人可以订几箱
律师函多少钱
找人代签可以吗
承租人可以转租吗
有人收货才能签收吗
Is it safe for human consumption?
How much does a cleaning agent cost?
What are the lawyer fees?
When is customer service open?
What is your customer service phone number?
How many people can come along?
Do I have to be a real estate agent to buy?
I don't want to talk to an agent, just tell me the price
Who is the owner of the land?
what does the operator of the machine earn
Can I give the box to another person?
Do you support delivery to Beijing?
""".strip().splitlines()


@pytest.mark.parametrize("text", WISHES)
def test_wish_is_understood(text):
    assert wants_person(text)


@pytest.mark.parametrize("text", QUESTIONS)
def test_question_is_not_a_wish(text):
    assert not wants_person(text)
