"""Clients of Azure OpenAI, with the address of Tenkey, a tenant key, and a model's name as the deployment."""

import litellm
import pytest
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings
from openai import (
    APIError,
    APIStatusError,
    AsyncAzureOpenAI,
    AuthenticationError,
    AzureOpenAI,
    BadRequestError,
    NotFoundError,
    OpenAI,
)
from pydantic import BaseModel

from tenkey import SOUND, VECTOR, text_of

API_VERSION = "2024-10-21"
MESSAGES = [{"role": "user", "content": "good morning"}]
# The tenant key is of the tenant whose Azure resource has the dated API.
MODELS = ["openai", "azure", "vllm", "mistral", "anthropic"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Answer(BaseModel):
    """An answer."""

    answer: str


@pytest.fixture
def settings(tenkey):
    return {
        "api_key": tenkey.tenant_key,
        "azure_endpoint": tenkey.origin,
        "api_version": API_VERSION,
        "max_retries": 0,
    }


@pytest.fixture
def client(settings):
    return AzureOpenAI(**settings)


@pytest.mark.parametrize("served", MODELS, indirect=True)
class TestAzureOpenAI:
    def test_asks_whole_and_streamed(self, tenkey, client, served):
        whole = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert whole.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)
        stream = client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True)
        assert "".join(map(text_of, stream)) == "echo: good morning"

    async def test_asks_asynchronously(self, tenkey, settings, served):
        async with AsyncAzureOpenAI(**settings) as client:
            whole = await client.chat.completions.create(model=served.model, messages=MESSAGES)
            assert whole.choices[0].message.content == "echo: good morning"
            stream = await client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True)
            assert "".join([text_of(chunk) async for chunk in stream]) == "echo: good morning"
        tenkey.expect_seen(served)

    def test_has_a_tool_called_and_parses_json_of_a_schema(self, client, served):
        asked = client.chat.completions.create(model=served.model, messages=MESSAGES, tools=[WEATHER])
        assert asked.choices[0].message.tool_calls[0].function.name == "weather"
        parsed = client.chat.completions.parse(model=served.model, messages=MESSAGES, response_format=Answer)
        assert parsed.choices[0].message.parsed == Answer(answer="echo: good morning")

    def test_obeys_its_deployment_whatever_model_a_call_names(self, tenkey, settings, served):
        client = AzureOpenAI(**settings, azure_deployment=served.model)
        answer = client.chat.completions.create(model="ignored-by-azure", messages=MESSAGES)
        assert answer.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)

    def test_sends_a_token_of_microsoft_entra_as_a_bearer_token(self, tenkey, served):
        client = AzureOpenAI(
            azure_ad_token=tenkey.tenant_key, azure_endpoint=f"{tenkey.origin}/", api_version=API_VERSION
        )
        answer = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)

    @pytest.mark.parametrize("path", ["/openai/v1", "/openai/v1/"])
    def test_is_replaced_by_openai_for_the_v1_api(self, tenkey, served, path):
        client = OpenAI(api_key=tenkey.tenant_key, base_url=tenkey.origin + path)
        answer = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer.choices[0].message.content == "echo: good morning"
        response = client.responses.create(model=served.model, input="good morning")
        assert response.output_text == "echo: good morning"

    def test_asks_for_a_response(self, client, served):
        response = client.responses.create(model=served.model, input="good morning")
        assert response.output_text == "echo: good morning"
        with client.responses.stream(model=served.model, input="good morning") as stream:
            assert stream.get_final_response().output_text == "echo: good morning"


@pytest.mark.parametrize("served", MODELS, indirect=True)
def test_azure_openai_raises_an_error_when_a_stream_breaks_off(tenkey, client, served):
    tenkey.next(breakAfterChunks=4)
    with pytest.raises(APIError):
        list(client.chat.completions.create(model=served.model, messages=MESSAGES, stream=True))
    tenkey.next(breakAfterChunks=4)
    with pytest.raises(APIError):
        list(client.responses.create(model=served.model, input="good morning", stream=True))


class TestAzureOpenAIWithoutChat:
    def test_embeds(self, client):
        answer = client.embeddings.create(model="embedding", input=["one", "two"])
        assert [each.embedding for each in answer.data] == [VECTOR, VECTOR]

    def test_transcribes_and_translates(self, tenkey, client):
        file = ("möte.mp3", SOUND, "audio/mpeg")
        text = f"heard {len(SOUND)} bytes"
        assert client.audio.transcriptions.create(model="whisper", file=file).text == text
        assert tenkey.requests[-1]["form"]["model"] == "whisper-1"
        assert client.audio.translations.create(model="whisper", file=file).text == text

    def test_speaks(self, client):
        answer = client.audio.speech.create(model="speech", input="hej", voice="alloy")
        assert answer.content == SOUND

    def test_draws_and_edits(self, tenkey, client):
        assert client.images.generate(model="image", prompt="a lighthouse").data[0].b64_json
        image = ("a.png", SOUND, "image/png")
        assert client.images.edit(model="image", prompt="a lighthouse", image=[image, image]).data
        assert tenkey.requests[-1]["form"]["model"] == "gpt-image-1"

    def test_lists_the_models(self, client):
        assert {"gpt-4o", "claude-sonnet"} <= {model.id for model in client.models.list()}


class TestAzureOpenAIRaises:
    def test_its_own_error_for_a_deployment_that_is_not_there(self, client):
        with pytest.raises(NotFoundError):
            client.chat.completions.create(model="no-such-model", messages=MESSAGES)

    def test_its_own_error_for_a_mistyped_key(self, settings):
        client = AzureOpenAI(**{**settings, "api_key": "tk_mistyped"})
        with pytest.raises(AuthenticationError):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    def test_the_error_of_the_content_filter(self, tenkey, client):
        error = {
            "message": "The response was filtered.",
            "code": "content_filter",
            "param": "prompt",
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
        }
        tenkey.next(status=400, body={"error": error})
        with pytest.raises(BadRequestError) as raised:
            client.chat.completions.create(model="gpt-4o-azure", messages=MESSAGES)
        assert raised.value.code == "content_filter"
        assert raised.value.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"

    def test_an_error_that_names_the_right_endpoint_when_it_has_a_wrong_one(self, tenkey, settings):
        client = AzureOpenAI(**{**settings, "azure_endpoint": f"{tenkey.origin}/v1"})
        with pytest.raises(APIStatusError, match="endpoint of Azure's clients is the address of this server"):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


@pytest.mark.parametrize("served", MODELS, indirect=True)
class TestAzureChatOpenAI:
    @pytest.fixture
    def model(self, settings, served):
        return AzureChatOpenAI(azure_deployment=served.model, **settings)

    def test_asks_whole_and_streamed(self, tenkey, model, served):
        assert model.invoke("good morning").text == "echo: good morning"
        tenkey.expect_seen(served)
        assert "".join(part.text for part in model.stream("good morning")) == "echo: good morning"

    def test_has_a_tool_called_and_reads_an_object_of_a_schema(self, model):
        asked = model.bind_tools([WEATHER]).invoke("good morning")
        assert [(call["name"], call["args"]) for call in asked.tool_calls] == [("weather", {"city": "Umeå"})]
        by_json = model.with_structured_output(Answer, method="json_schema")
        assert by_json.invoke("good morning") == Answer(answer="echo: good morning")


def test_azure_openai_embeddings_embed(settings):
    embeddings = AzureOpenAIEmbeddings(azure_deployment="embedding", **settings)
    assert embeddings.embed_documents(["one", "two"]) == [VECTOR, VECTOR]


class TestLiteLlmWithItsAzurePrefix:
    @pytest.fixture
    def settings(self, tenkey):
        return {"api_key": tenkey.tenant_key, "api_base": tenkey.origin, "api_version": API_VERSION}

    @pytest.mark.parametrize("served", MODELS, indirect=True)
    async def test_asks_whole_and_streamed(self, tenkey, settings, served):
        request = {"model": f"azure/{served.model}", "messages": MESSAGES, **settings}
        for answer in (litellm.completion(**request), await litellm.acompletion(**request)):
            assert answer.choices[0].message.content == "echo: good morning"
            tenkey.expect_seen(served)
        text = "".join(map(text_of, litellm.completion(**request, stream=True)))
        assert text == "echo: good morning"

    def test_embeds_transcribes_and_draws(self, settings):
        answer = litellm.embedding(model="azure/embedding", input=["one", "two"], **settings)
        assert [each["embedding"] for each in answer.data] == [VECTOR, VECTOR]
        heard = litellm.transcription(model="azure/whisper", file=("möte.mp3", SOUND), **settings)
        assert heard.text == f"heard {len(SOUND)} bytes"
        drawn = litellm.image_generation(model="azure/image", prompt="a lighthouse", **settings)
        assert drawn.data[0].b64_json == "iVBORw0KGgo="

    @pytest.mark.parametrize(
        ("error", "raised"),
        [
            (
                {
                    "message": "This model's maximum context length is 8192 tokens.",
                    "code": "context_length_exceeded",
                },
                litellm.ContextWindowExceededError,
            ),
            (
                {
                    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
                    "management policy. Please modify your prompt and retry.",
                    "code": "content_filter",
                    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
                },
                litellm.ContentPolicyViolationError,
            ),
        ],
    )
    def test_raises_its_own_error(self, tenkey, settings, error, raised):
        tenkey.next(status=400, body={"error": error})
        with pytest.raises(raised):
            litellm.completion(model="azure/gpt-4o-azure", messages=MESSAGES, **settings)
