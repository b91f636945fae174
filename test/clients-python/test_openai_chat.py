import pytest
from openai import APIError, OpenAI
from pydantic import BaseModel

from tenkey import CHAT_MODELS, text_of, until

MESSAGES = [{"role": "user", "content": "good morning"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Answer(BaseModel):
    answer: str


@pytest.fixture
def client(tenkey, served):
    return OpenAI(
        api_key="not-read-by-tenkey",
        base_url=f"{tenkey.origin}/v1",
        default_headers=tenkey.headers(served.tenant),
        max_retries=0,
    )


@pytest.mark.parametrize("served", CHAT_MODELS, indirect=True)
class TestTheClientOfAChatModel:
    def test_gets_a_whole_response(self, tenkey, client, served):
        answer = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer.object == "chat.completion"
        assert answer.choices[0].message.content == "echo: good morning"
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
            3,
            2,
            5,
        )
        tenkey.expect_seen(served)

    def test_reads_the_request_id_of_the_provider_in_a_response_and_in_an_error(self, tenkey, client, served):
        name = "request-id" if served.title == "Anthropic" else "x-request-id"
        headers = {name: "req_at_the_provider"}
        tenkey.next(headers=headers)
        answer = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer._request_id == "req_at_the_provider"
        tenkey.next(headers=headers, status=400)
        with pytest.raises(APIError) as raised:
            client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert raised.value.request_id == "req_at_the_provider"

    def test_gets_a_stream_with_the_usage_that_it_asked_for(self, tenkey, client, served):
        stream = client.chat.completions.create(
            model=served.model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        assert "".join(map(text_of, chunks)) == "echo: good morning"
        assert len(list(filter(text_of, chunks))) == 3
        assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [5]
        tenkey.expect_seen(served)

    def test_gathers_a_stream_into_a_response(self, client, served):
        with client.chat.completions.stream(model=served.model, messages=MESSAGES) as stream:
            text = "".join(event.delta for event in stream if event.type == "content.delta")
            whole = stream.get_final_completion()
        assert text == whole.choices[0].message.content == "echo: good morning"
        assert whole.choices[0].finish_reason == "stop"

    def test_calls_a_tool_and_gets_the_answer_to_its_result(self, tenkey, client, served):
        asked = client.chat.completions.create(model=served.model, messages=MESSAGES, tools=[WEATHER])
        message = asked.choices[0].message
        assert asked.choices[0].finish_reason == "tool_calls"
        assert message.tool_calls[0].function.name == "weather"
        assert message.tool_calls[0].function.arguments == '{"city":"Umeå"}'
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "snow in Umeå"}
        answer = client.chat.completions.create(
            model=served.model, messages=[*MESSAGES, message, result], tools=[WEATHER]
        )
        assert answer.choices[0].message.content == "echo: snow in Umeå"
        tenkey.expect_seen(served)

    def test_gathers_a_streamed_call_of_a_tool(self, client, served):
        with client.chat.completions.stream(model=served.model, messages=MESSAGES, tools=[WEATHER]) as stream:
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == "tool_calls"
        function = choice.message.tool_calls[0].function
        assert (function.name, function.arguments) == ("weather", '{"city":"Umeå"}')

    def test_parses_json_of_a_schema_whole_and_streamed(self, client, served):
        request = {"model": served.model, "messages": MESSAGES, "response_format": Answer}
        expected = Answer(answer="echo: good morning")
        assert client.chat.completions.parse(**request).choices[0].message.parsed == expected
        with client.chat.completions.stream(**request) as stream:
            assert stream.get_final_completion().choices[0].message.parsed == expected

    def test_raises_an_error_when_a_stream_breaks_off(self, tenkey, client, served):
        tenkey.next(breakAfterChunks=4)
        text = ""
        with pytest.raises(APIError) as raised:
            for chunk in client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True):
                text += text_of(chunk)
        assert raised.value.code == "upstream_unavailable"
        assert text.startswith("echo: ")

    def test_ends_the_call_at_the_provider_when_it_leaves_a_stream(self, tenkey, client, served):
        tenkey.next(chunkDelayMs=300)
        with client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        until(lambda: tenkey.requests[0]["aborted"])


@pytest.mark.parametrize("served", ["openai", "azure", "azure_v1", "vllm", "anthropic"], indirect=True)
def test_the_client_gets_no_usage_in_a_stream_that_it_did_not_ask_for(client, served):
    chunks = list(client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True))
    assert [chunk.usage for chunk in chunks if chunk.usage] == []
    # Only Azure sends an event without choices: the first one, with the results of its filter for the prompt.
    assert all(chunk.choices for chunk in chunks[1:])
