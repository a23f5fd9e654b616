"""Chains reach a model through the gateway and nothing else."""

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

from furrow.core.context import tenant_context
from furrow.gateway.langchain import FurrowChatModel
from tests import fixtures_chat
from tests.fixtures_chat import answer, chunk, openai_usage

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server


@pytest.fixture(autouse=True)
def _tenant(cast):
    with tenant_context(cast.tenant.id):
        yield


@tool
def find(name: str) -> str:
    """Finds a product."""
    return name


def test_chain_of_prompt_model_and_parser_runs(chat_server):
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    chain = prompt | FurrowChatModel(temperature=0.0, max_tokens=9) | StrOutputParser()
    assert chain.invoke({"question": "Hello?"}) == "Hello there"
    body = chat_server.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello?"},
    ]
    assert (body["temperature"], body["max_tokens"]) == (0.0, 9)


def test_chain_streams(chat_server):
    chain = FurrowChatModel() | StrOutputParser()
    assert [part for part in chain.stream("Hello?") if part] == ["Hello", " there"]


def test_usage_and_thoughts_come_with_the_message(chat_server):
    usage = openai_usage(100, 50, cached=64, reasoning=20)
    chat_server.events = [chunk(reasoning_content="Hm."), *answer("Yes", usage=usage)]
    message = FurrowChatModel().invoke("Hello?", stop=["END"])
    assert message.usage_metadata == {
        "input_tokens": 100,
        "output_tokens": 50,
        "total_tokens": 150,
        "input_token_details": {"cache_read": 64},
        "output_token_details": {"reasoning": 20},
    }
    assert message.additional_kwargs["reasoning_content"] == "Hm."
    assert message.response_metadata["finish_reason"] == "stop"
    assert chat_server.bodies[0]["stop"] == ["END"]


def test_streamed_usage_is_the_same(chat_server):
    parts = list(FurrowChatModel().stream([HumanMessage("Hello?")]))
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    assert isinstance(whole, AIMessageChunk)
    assert whole.content == "Hello there"
    assert whole.usage_metadata == FurrowChatModel().invoke("Hello?").usage_metadata


def test_tools_are_offered_and_their_calls_come_back(chat_server):
    start = {"index": 0, "id": "c1", "function": {"name": "find", "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": '{"name": "tea"}'}}
    chat_server.events = [
        chunk(tool_calls=[start]),
        chunk(tool_calls=[rest]),
        *answer(usage=openai_usage(10, 2), finish="tool_calls"),
    ]
    message = FurrowChatModel().bind_tools([find], tool_choice="find").invoke("Find tea")
    [call] = message.tool_calls
    assert (call["name"], call["args"], call["id"]) == ("find", {"name": "tea"}, "c1")
    body = chat_server.bodies[0]
    assert body["tools"][0]["function"]["name"] == "find"
    assert body["tool_choice"] == {"type": "function", "function": {"name": "find"}}
