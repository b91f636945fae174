import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import APIError, APIStatusError
from pydantic import BaseModel

from tenkey import CHAT_MODELS, VECTOR


class Answer(BaseModel):
    """An answer."""

    answer: str


class Place(BaseModel):
    """A place."""

    city: str


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"snow in {city}"


def settings_of(tenkey, tenant="dated"):
    return {
        "api_key": "not-read-by-tenkey",
        "base_url": f"{tenkey.origin}/v1",
        "default_headers": tenkey.headers(tenant),
        "max_retries": 0,
    }


@pytest.fixture
def model(tenkey, served):
    return ChatOpenAI(model=served.model, **settings_of(tenkey, served.tenant))


@pytest.mark.parametrize("served", CHAT_MODELS, indirect=True)
class TestChatOpenAI:
    def test_gets_a_whole_response(self, tenkey, model, served):
        answer = model.invoke("good morning")
        assert answer.text == "echo: good morning"
        assert answer.usage_metadata["total_tokens"] == 5
        tenkey.expect_seen(served)

    async def test_gets_a_stream(self, tenkey, model, served):
        assert "".join(part.text for part in model.stream("good morning")) == "echo: good morning"
        tenkey.expect_seen(served)
        parts = [part.text async for part in model.astream("good morning")]
        assert "".join(parts) == "echo: good morning"

    def test_answers_a_batch(self, model, served):
        answers = model.batch([f"number {number}" for number in range(8)])
        assert [answer.text for answer in answers] == [f"echo: number {number}" for number in range(8)]

    def test_has_its_tools_called_to_the_end(self, model, served):
        with_tools = model.bind_tools([weather])
        asked = with_tools.invoke("good morning")
        assert [(call["name"], call["args"]) for call in asked.tool_calls] == [("weather", {"city": "Umeå"})]
        result = weather.invoke(asked.tool_calls[0])
        answer = with_tools.invoke([("user", "good morning"), asked, result])
        assert answer.text == "echo: snow in Umeå"

    def test_gathers_a_streamed_call_of_a_tool(self, model, served):
        whole = None
        for part in model.bind_tools([weather]).stream("good morning"):
            whole = part if whole is None else whole + part
        assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("weather", {"city": "Umeå"})]

    def test_reads_an_object_of_a_schema_by_json_schema_and_by_a_tool(self, model, served):
        by_json = model.with_structured_output(Answer, method="json_schema")
        assert by_json.invoke("good morning") == Answer(answer="echo: good morning")
        by_tool = model.with_structured_output(Place, method="function_calling")
        assert by_tool.invoke("good morning") == Place(city="Umeå")

    def test_raises_an_error_when_a_stream_breaks_off(self, tenkey, model, served):
        tenkey.next(breakAfterChunks=4)
        text = ""
        with pytest.raises(APIError) as raised:
            for part in model.stream("good morning"):
                text += part.text
        assert raised.value.code == "upstream_unavailable"
        assert text.startswith("echo: ")


@pytest.mark.parametrize("name", ["embedding", "embedding-azure", "embedding-vllm"])
async def test_openai_embeddings_embed_texts(tenkey, name):
    embeddings = OpenAIEmbeddings(model=name, check_embedding_ctx_length=False, **settings_of(tenkey))
    assert embeddings.embed_query("one") == VECTOR
    assert embeddings.embed_documents(["one", "two"]) == [VECTOR, VECTOR]
    assert await embeddings.aembed_query("one") == VECTOR


def test_openai_embeddings_embed_tokens_by_default(tenkey):
    embeddings = OpenAIEmbeddings(model="embedding", **settings_of(tenkey))
    assert embeddings.embed_documents(["one", "two"]) == [VECTOR, VECTOR]
    assert tenkey.requests[-1]["body"]["input"] == [[606], [20375]]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("no-such-model", 404, "model_not_found"), ("without-a-credential", 424, "credential_not_configured")],
)
def test_chat_openai_raises_the_errors_of_the_openai_client(tenkey, name, status, code):
    with pytest.raises(APIStatusError) as raised:
        ChatOpenAI(model=name, **settings_of(tenkey)).invoke("good morning")
    assert (raised.value.status_code, raised.value.code) == (status, code)


@pytest.mark.parametrize("served", CHAT_MODELS, indirect=True)
async def test_chat_openai_uses_the_responses_api_of_every_model(tenkey, served):
    model = ChatOpenAI(model=served.model, use_responses_api=True, **settings_of(tenkey, served.tenant))
    assert model.invoke("good morning").text == "echo: good morning"
    by_json = model.with_structured_output(Answer, method="json_schema")
    assert by_json.invoke("good morning") == Answer(answer="echo: good morning")
    assert "".join([part.text async for part in model.astream("good morning")]) == "echo: good morning"
