"""Thinking, text and two calls of tools at once, gathered by the clients of the other format."""

import json

import anthropic
import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI

QUESTION = [{"role": "user", "content": "How is the weather?"}]

# The same answer in both formats.
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": "Two cities, then.", "signature": "c2lnbmF0dXJl"},
        {"type": "text", "text": "Let me look at Umeå."},
        {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
        {
            "type": "tool_use",
            "id": "toolu_2",
            "name": "weather",
            "input": {"city": "Umeå"},
        },
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 9},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "reasoning_content": "Two cities, then.",
                "content": "Let me look at Umeå.",
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                    {
                        "id": "toolu_2",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Umeå"}'},
                    },
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 7,
        "completion_tokens": 9,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}
CALLS = [("toolu_1", "now", {}), ("toolu_2", "weather", {"city": "Umeå"})]


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request):
    return request.param


@pytest.fixture
def of_anthropic(tenkey, stream):
    """Anthropic answers with MESSAGE. This is what a client of OpenAI's format needs to ask it."""
    tenkey.next_streamed_message(MESSAGE) if stream else tenkey.next(body=MESSAGE)
    return {"api_key": tenkey.tenant_key, "base_url": f"{tenkey.origin}/v1", "max_retries": 0}


@pytest.fixture
def of_openai(tenkey, stream):
    """OpenAI answers with COMPLETION. This is what a client of Anthropic's format needs to ask it."""
    tenkey.next_streamed_chat(COMPLETION) if stream else tenkey.next(body=COMPLETION)
    return {"api_key": tenkey.tenant_key, "base_url": tenkey.origin, "max_retries": 0}


def calls_of_chat(message):
    return [(call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


def test_openai_gathers_the_message_of_anthropic(of_anthropic, stream):
    client = openai.OpenAI(**of_anthropic)
    request = {"model": "claude-sonnet", "messages": QUESTION}
    if stream:
        with client.chat.completions.stream(**request, stream_options={"include_usage": True}) as chunks:
            completion = chunks.get_final_completion()
    else:
        completion = client.chat.completions.create(**request)
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.content == "Let me look at Umeå."
    assert message.reasoning_content == "Two cities, then."
    assert calls_of_chat(message) == CALLS
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (7, 9)
    assert usage.prompt_tokens_details.cached_tokens == 4


def test_langchain_gathers_the_message_of_anthropic(of_anthropic, stream):
    model = ChatOpenAI(model="claude-sonnet", **of_anthropic)
    if stream:
        message = None
        for part in model.stream("How is the weather?"):
            message = part if message is None else message + part
    else:
        message = model.invoke("How is the weather?")
    assert message.text == "Let me look at Umeå."
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == CALLS


def litellm_gathers(stream, **request):
    if not stream:
        return litellm.completion(**request, messages=QUESTION)
    chunks = list(
        litellm.completion(**request, messages=QUESTION, stream=True, stream_options={"include_usage": True})
    )
    return litellm.stream_chunk_builder(chunks)


def expect_all_of_it(completion):
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.content == "Let me look at Umeå."
    assert message.reasoning_content == "Two cities, then."
    assert calls_of_chat(message) == CALLS
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (7, 9)


def test_litellm_gathers_the_message_of_anthropic(of_anthropic, stream):
    expect_all_of_it(litellm_gathers(stream, model="openai/claude-sonnet", **of_anthropic))


def test_litellm_gathers_the_chat_completion_of_openai(of_openai, stream):
    expect_all_of_it(litellm_gathers(stream, model="anthropic/gpt-4o", **of_openai))


def test_anthropic_gathers_the_chat_completion_of_openai(of_openai, stream):
    client = anthropic.Anthropic(**of_openai)
    request = {"model": "gpt-4o", "max_tokens": 100, "messages": QUESTION}
    if stream:
        with client.messages.stream(**request) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**request)
    thinking, text, *calls = message.content
    assert (thinking.type, thinking.thinking) == ("thinking", "Two cities, then.")
    assert (text.type, text.text) == ("text", "Let me look at Umeå.")
    assert [(call.id, call.name, call.input) for call in calls] == CALLS
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (3, 4, 9)


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("now", "weather")
]
RESULTS = [
    {"role": "tool", "tool_call_id": "toolu_1", "content": "noon"},
    {"role": "tool", "tool_call_id": "toolu_2", "content": "snow"},
]


class TestAConversationWithThinkingGoesOn:
    """Claude refuses the results of its tools without the signed thinking that came before the calls."""

    @pytest.fixture
    def expect_all_of_it_again(self, tenkey):
        tenkey.next(body=MESSAGE)
        yield
        asked, results = tenkey.requests[-1]["body"]["messages"][-2:]
        assert asked["content"] == MESSAGE["content"]
        assert [part["tool_use_id"] for part in results["content"]] == ["toolu_1", "toolu_2"]

    def test_with_openai(self, tenkey, expect_all_of_it_again):
        client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1")
        asked = client.chat.completions.create(model="claude-sonnet", messages=QUESTION).choices[0].message
        client.chat.completions.create(model="claude-sonnet", messages=[*QUESTION, asked, *RESULTS])

    @pytest.mark.parametrize(("prefix", "path"), [("openai", "/v1"), ("anthropic", "")])
    def test_with_litellm(self, tenkey, expect_all_of_it_again, prefix, path):
        request = {
            "model": f"{prefix}/claude-sonnet",
            "api_key": tenkey.tenant_key,
            "api_base": tenkey.origin + path,
        }
        asked = litellm.completion(**request, messages=QUESTION).choices[0].message
        # litellm keeps what it needs of an assistant message only if the tools are sent again.
        litellm.completion(**request, messages=[*QUESTION, asked, *RESULTS], tools=TOOLS)

    def test_with_anthropic(self, tenkey, expect_all_of_it_again):
        client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=tenkey.origin)
        request = {"model": "claude-sonnet", "max_tokens": 100}
        asked = client.messages.create(**request, messages=QUESTION)
        results = [
            {"type": "tool_result", "tool_use_id": result["tool_call_id"], "content": result["content"]}
            for result in RESULTS
        ]
        client.messages.create(
            **request,
            messages=[
                *QUESTION,
                {"role": "assistant", "content": asked.content},
                {"role": "user", "content": results},
            ],
        )


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_openai_shows_an_image_to_claude(tenkey):
    client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1")
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    content = [{"type": "text", "text": "What is this?"}, image]
    client.chat.completions.create(model="claude-sonnet", messages=[{"role": "user", "content": content}])
    _, shown = tenkey.requests[-1]["body"]["messages"][0]["content"]
    assert shown == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}


def test_anthropic_shows_an_image_to_openai(tenkey):
    client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=tenkey.origin)
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    client.messages.create(model="gpt-4o", max_tokens=10, messages=[{"role": "user", "content": content}])
    _, shown = tenkey.requests[-1]["body"]["messages"][0]["content"]
    assert shown["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"
