import pytest
from anthropic import Anthropic, APIError, AsyncAnthropic, BadRequestError, beta_tool
from pydantic import BaseModel

from tenkey import CHAT_MODELS, until

MESSAGES = [{"role": "user", "content": "good morning"}]


class Answer(BaseModel):
    answer: str


def settings_of(tenkey, served):
    return {
        "api_key": "not-read-by-tenkey",
        "base_url": tenkey.origin,
        # The client sends its own key in this header, and a default header replaces it.
        "default_headers": tenkey.headers(served.tenant),
        "max_retries": 0,
    }


def request_of(served):
    return {"model": served.model, "max_tokens": 100, "messages": MESSAGES}


def path_of(served):
    """Besides Anthropic, vLLM has this format too."""
    return "/v1/messages" if served.title == "vLLM" else served.path


@pytest.fixture
def client(tenkey, served):
    return Anthropic(**settings_of(tenkey, served))


@pytest.mark.parametrize("served", CHAT_MODELS, indirect=True)
class TestTheAnthropicClientOfAChatModel:
    def test_gets_a_whole_response(self, tenkey, client, served):
        answer = client.messages.create(**request_of(served), system="Be brief.")
        assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
        assert [(block.type, block.text) for block in answer.content] == [("text", "echo: good morning")]
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 2)
        tenkey.expect_seen(served, path_of(served))

    def test_reads_the_request_id_of_the_provider_in_a_response_and_in_an_error(self, tenkey, client, served):
        name = "request-id" if served.title == "Anthropic" else "x-request-id"
        tenkey.next(headers={name: "req_at_the_provider"})
        assert client.messages.create(**request_of(served))._request_id == "req_at_the_provider"
        tenkey.next(headers={name: "req_at_the_provider"}, status=400)
        with pytest.raises(APIError) as raised:
            client.messages.create(**request_of(served))
        assert raised.value.request_id == "req_at_the_provider"

    def test_gathers_a_stream_into_a_response(self, tenkey, client, served):
        with client.messages.stream(**request_of(served)) as stream:
            text = "".join(stream.text_stream)
            message = stream.get_final_message()
        assert text == message.content[0].text == "echo: good morning"
        assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 2)
        tenkey.expect_seen(served, path_of(served))

    @pytest.mark.parametrize("stream", [False, True])
    def test_has_its_tools_called_to_the_end(self, tenkey, client, served, stream):
        cities = []

        @beta_tool
        def weather(city: str) -> str:
            """The weather of a city."""
            cities.append(city)
            return f"snow in {city}"

        last = client.beta.messages.tool_runner(
            **request_of(served), tools=[weather], stream=stream
        ).until_done()
        assert cities == ["Umeå"]
        assert last.content[0].text == "echo: snow in Umeå"
        assert len(tenkey.requests) == 2
        tenkey.expect_seen(served, path_of(served))

    def test_parses_json_of_a_schema(self, client, served):
        answer = client.messages.parse(**request_of(served), output_format=Answer)
        assert answer.parsed_output == Answer(answer="echo: good morning")

    def test_raises_an_error_when_a_stream_breaks_off(self, tenkey, client, served):
        # In the middle of the answer: after the reason for its end, it would be complete.
        tenkey.next(breakAfterChunks=5 if path_of(served) == "/v1/messages" else 4)
        types = []
        with pytest.raises(APIError) as raised:
            for event in client.messages.create(**request_of(served), stream=True):
                types.append(event.type)
        assert raised.value.type == "api_error"
        assert "content_block_delta" in types

    def test_ends_the_call_at_the_provider_when_it_leaves_a_stream(self, tenkey, client, served):
        tenkey.next(chunkDelayMs=300)
        with client.messages.create(**request_of(served), stream=True) as stream:
            next(iter(stream))
        until(lambda: tenkey.requests[0]["aborted"])

    async def test_gets_a_response_whole_and_streamed_asynchronously(self, tenkey, served):
        async with AsyncAnthropic(**settings_of(tenkey, served)) as client:
            whole = await client.messages.create(**request_of(served))
            assert whole.content[0].text == "echo: good morning"
            async with client.messages.stream(**request_of(served)) as stream:
                text = "".join([part async for part in stream.text_stream])
            assert text == "echo: good morning"
            tenkey.expect_seen(served, path_of(served))


@pytest.mark.parametrize("served", ["anthropic"], indirect=True)
class TestTheAnthropicClientOfAnAnthropicModel:
    def test_counts_tokens(self, tenkey, client, served):
        answer = client.messages.count_tokens(model=served.model, messages=MESSAGES)
        assert answer.input_tokens == 3
        seen = tenkey.requests[-1]
        assert (seen["path"], seen["key"]) == ("/v1/messages/count_tokens", served.key)

    def test_passes_on_parameters_and_fields_that_tenkey_does_not_know(self, tenkey, client, served):
        answer = client.messages.create(**request_of(served), extra_body={"of_tomorrow": {"kept": True}})
        assert answer.unknown_field == {"kept": True}
        assert tenkey.requests[0]["body"]["of_tomorrow"] == {"kept": True}

    def test_sends_its_version_and_betas(self, tenkey, client, served):
        client.beta.messages.create(**request_of(served), betas=["a-beta-2026-01-01"])
        headers = tenkey.requests[0]["headers"]
        assert headers["anthropic-beta"] == "a-beta-2026-01-01"
        assert headers["anthropic-version"] == client.default_headers["anthropic-version"]

    def test_lists_the_models_and_retrieves_one(self, client, served):
        assert {"claude-sonnet", "gpt-4o"} <= {model.id for model in client.models.list()}
        assert client.models.retrieve("claude-sonnet").display_name == "claude-sonnet"


@pytest.mark.parametrize("served", ["openai"], indirect=True)
def test_the_anthropic_client_of_another_model_is_told_that_its_tokens_cannot_be_counted(client, served):
    with pytest.raises(BadRequestError) as raised:
        client.messages.count_tokens(model=served.model, messages=MESSAGES)
    assert raised.value.body["error"]["tenkey_code"] == "endpoint_not_supported"
