from itertools import product

import litellm
import pytest

from tenkey import CHAT_MODELS, SOUND, VECTOR, text_of

MESSAGES = [{"role": "user", "content": "good morning"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def path_of(prefix, served):
    """vLLM has Anthropic's format too."""
    return "/v1/messages" if (prefix, served.title) == ("anthropic", "vLLM") else served.path


@pytest.fixture
def request_of(tenkey, served, prefix):
    headers = tenkey.headers(served.tenant)
    request = {"model": f"{prefix}/{served.model}", "messages": MESSAGES, "max_retries": 0}
    if prefix == "anthropic":
        # It sends the key in X-API-Key, and adds the whole path to the address.
        key = headers["X-API-Key"]
        tenant = {"X-Tenant-ID": headers["X-Tenant-ID"]}
        return {**request, "api_base": tenkey.origin, "api_key": key, "extra_headers": tenant}
    key = "not-read-by-tenkey"
    return {**request, "api_base": f"{tenkey.origin}/v1", "api_key": key, "extra_headers": headers}


@pytest.fixture
def settings(tenkey):
    return {"api_base": f"{tenkey.origin}/v1", "api_key": tenkey.tenant_key, "max_retries": 0}


@pytest.mark.parametrize(
    ("prefix", "served"),
    [*product(["openai", "anthropic"], CHAT_MODELS), ("litellm_proxy", "openai")],
    indirect=["served"],
)
class TestLiteLlm:
    async def test_gets_a_whole_response(self, tenkey, request_of, prefix, served):
        for answer in (litellm.completion(**request_of), await litellm.acompletion(**request_of)):
            assert answer.choices[0].message.content == "echo: good morning"
            assert answer.choices[0].finish_reason == "stop"
            assert answer.usage.total_tokens == 5
            tenkey.expect_seen(served, path_of(prefix, served))

    async def test_gets_a_stream(self, tenkey, request_of, prefix, served):
        text = "".join(map(text_of, litellm.completion(**request_of, stream=True)))
        assert text == "echo: good morning"
        tenkey.expect_seen(served, path_of(prefix, served))
        stream = await litellm.acompletion(**request_of, stream=True)
        assert "".join([text_of(chunk) async for chunk in stream]) == "echo: good morning"

    def test_has_its_tools_called_to_the_end(self, request_of, prefix, served):
        asked = litellm.completion(**request_of, tools=[WEATHER]).choices[0].message
        assert asked.tool_calls[0].function.name == "weather"
        result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "snow in Umeå"}
        answer = litellm.completion(**{**request_of, "messages": [*MESSAGES, asked, result]}, tools=[WEATHER])
        assert answer.choices[0].message.content == "echo: snow in Umeå"

    def test_gathers_a_streamed_call_of_a_tool(self, request_of, prefix, served):
        chunks = list(litellm.completion(**request_of, tools=[WEATHER], stream=True))
        choice = litellm.stream_chunk_builder(chunks).choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.tool_calls[0].function.arguments == '{"city":"Umeå"}'


@pytest.mark.parametrize("prefix", ["openai", "litellm_proxy"])
class TestLiteLlmWithoutChat:
    async def test_embeds(self, tenkey, settings, prefix):
        request = {"model": f"{prefix}/embedding", "input": ["one", "two"], **settings}
        for answer in (litellm.embedding(**request), await litellm.aembedding(**request)):
            assert [each["embedding"] for each in answer.data] == [VECTOR, VECTOR]

    def test_transcribes(self, tenkey, settings, prefix):
        answer = litellm.transcription(model=f"{prefix}/whisper", file=("möte.mp3", SOUND), **settings)
        assert answer.text == f"heard {len(SOUND)} bytes"

    def test_speaks(self, tenkey, settings, prefix):
        answer = litellm.speech(model=f"{prefix}/speech", input="hej", voice="alloy", **settings)
        assert answer.content == SOUND

    def test_draws(self, tenkey, settings, prefix):
        answer = litellm.image_generation(model=f"{prefix}/image", prompt="a lighthouse", **settings)
        assert answer.data[0].b64_json == "iVBORw0KGgo="

    @pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet"])
    def test_asks_for_a_response_whole_and_streamed(self, settings, prefix, model):
        request = {"model": f"{prefix}/{model}", "input": "good morning", **settings}
        answer = litellm.responses(**request)
        assert answer.output[0].content[0].text == "echo: good morning"
        events = list(litellm.responses(**request, stream=True))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == "echo: good morning"


@pytest.mark.parametrize("served", ["vllm"], indirect=True)
@pytest.mark.parametrize(("prefix", "path"), [("hosted_vllm", "/v1"), ("cohere", "/v1/rerank")])
def test_litellm_reranks(tenkey, served, prefix, path):
    answer = litellm.rerank(
        model=f"{prefix}/reranker",
        query="snow",
        documents=["rain in Lund", "snow in Umeå"],
        top_n=1,
        api_key=tenkey.tenant_key,
        api_base=tenkey.origin + path,
    )
    assert len(answer.results) == 1
    seen = tenkey.requests[-1]
    assert (seen["key"], seen["body"]["model"]) == (served.key, "BAAI/bge-reranker-v2-m3")
