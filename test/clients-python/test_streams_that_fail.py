"""What the clients raise when a stream fails, at its start and in the middle."""

import json

import anthropic
import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI

from tenkey import text_of

MESSAGES = [{"role": "user", "content": "good morning"}]


def data(body):
    return f"data: {json.dumps(body)}\n\n"


def event(body):
    return f"event: {body['type']}\n{data(body)}"


def chunk(content):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    return data(
        {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


OF_OPENAI = [chunk("one "), chunk("two ")]
OF_ANTHROPIC = [
    event(
        {
            "type": "message_start",
            "message": {
                "id": "1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        }
    ),
    event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one two "}}),
]
RATE_LIMIT = data({"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}})
OVERLOAD = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

# How the stream of the provider of each model begins, and its error.
STREAMS = {"openai": (OF_OPENAI, RATE_LIMIT), "anthropic": (OF_ANTHROPIC, OVERLOAD)}


def stream_of_openai(tenkey, model):
    client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=0)
    stream = client.chat.completions.create(model=model, messages=MESSAGES, stream=True)
    return (text_of(each) for each in stream)


def stream_of_anthropic(tenkey, model):
    client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=tenkey.origin, max_retries=0)
    with client.messages.stream(model=model, max_tokens=9, messages=MESSAGES) as stream:
        yield from stream.text_stream


def stream_of_langchain(tenkey, model):
    chat = ChatOpenAI(model=model, api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=0)
    return (part.text for part in chat.stream("good morning"))


def stream_of_litellm(tenkey, model):
    stream = litellm.completion(
        model=f"openai/{model}",
        messages=MESSAGES,
        api_key=tenkey.tenant_key,
        api_base=f"{tenkey.origin}/v1",
        max_retries=0,
        stream=True,
    )
    return (text_of(each) for each in stream)


# The base class of each client's errors, and the classes for a rate limit and for an overload.
CLIENTS = {
    "openai": (
        stream_of_openai,
        openai.APIError,
        {"openai": openai.RateLimitError, "anthropic": openai.InternalServerError},
    ),
    "anthropic": (
        stream_of_anthropic,
        anthropic.APIError,
        {"openai": anthropic.RateLimitError, "anthropic": anthropic.InternalServerError},
    ),
    "langchain": (
        stream_of_langchain,
        openai.APIError,
        {"openai": openai.RateLimitError, "anthropic": openai.InternalServerError},
    ),
    "litellm": (
        stream_of_litellm,
        openai.APIError,
        {"openai": litellm.RateLimitError, "anthropic": litellm.ServiceUnavailableError},
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("served", STREAMS, indirect=True)
class TestAStream:
    @pytest.fixture
    def read(self, tenkey, client, served):
        """Reads the stream to its error, and returns the text before it and the error."""
        stream_of, base, _ = CLIENTS[client]

        def read():
            text = ""
            with pytest.raises(base) as raised:
                for part in stream_of(tenkey, served.model):
                    text += part
            return text, raised.value

        return read

    @pytest.fixture
    def name(self, served):
        return served.title.lower()

    def test_that_begins_with_an_error_raises_the_error_of_its_status(self, tenkey, client, read, name):
        tenkey.next(chunks=[STREAMS[name][1]])
        text, error = read()
        assert text == ""
        assert isinstance(error, CLIENTS[client][2][name])

    def test_with_an_error_in_the_middle_raises_it_with_the_text_of_the_provider(self, tenkey, read, name):
        beginning, error = STREAMS[name]
        tenkey.next(chunks=[*beginning, error])
        text, raised = read()
        assert text == "one two "
        assert ("Slow down." if name == "openai" else "Overloaded") in str(raised)

    def test_whose_connection_breaks_raises_an_error(self, tenkey, read, name):
        beginning, _ = STREAMS[name]
        tenkey.next(chunks=beginning, breakAfterChunks=len(beginning))
        text, raised = read()
        assert text == "one two "
        assert not isinstance(raised, openai.APIConnectionError | anthropic.APIConnectionError)

    def test_that_ends_in_mid_answer_raises_an_error(self, tenkey, read, name):
        beginning, _ = STREAMS[name]
        tenkey.next(chunks=beginning)
        text, _ = read()
        assert text == "one two "
