import pytest
from openai import APIError, NotFoundError, OpenAI
from pydantic import BaseModel

from tenkey import SOUND, VECTOR

DEPLOYMENT = "/openai/deployments/gpt-4o-sweden"


class Answer(BaseModel):
    answer: str


@pytest.fixture
def client_of(tenkey):
    def client_of(tenant="dated"):
        return OpenAI(
            api_key="not-read-by-tenkey",
            base_url=f"{tenkey.origin}/v1",
            default_headers=tenkey.headers(tenant),
            max_retries=0,
        )

    return client_of


@pytest.mark.parametrize(
    ("model", "served", "path"),
    [
        ("embedding", "openai", "/v1/embeddings"),
        ("embedding-azure", "azure", f"{DEPLOYMENT}/embeddings"),
        ("embedding-azure", "azure_v1", "/openai/v1/embeddings"),
        ("embedding-vllm", "vllm", "/v1/embeddings"),
        ("embedding-mistral", "mistral", "/v1/embeddings"),
    ],
    indirect=["served"],
)
def test_embeds_with_base64_by_default_and_floats_when_asked(tenkey, client_of, model, served, path):
    client = client_of(served.tenant)
    answer = client.embeddings.create(model=model, input=["one", "two"])
    assert [each.embedding for each in answer.data] == [VECTOR, VECTOR]
    seen = tenkey.requests[-1]
    assert (seen["path"], seen["key"], seen["body"]["input"]) == (path, served.key, ["one", "two"])
    floats = client.embeddings.create(model=model, input="one", encoding_format="float")
    assert floats.data[0].embedding == VECTOR
    tokens = client.embeddings.create(model=model, input=[[15339, 1917]])
    assert tokens.data[0].embedding == VECTOR
    assert tenkey.requests[-1]["body"]["input"] == [[15339, 1917]]


@pytest.mark.parametrize(
    ("model", "served", "path", "upstream_model"),
    [
        ("whisper", "openai", "/v1/audio/transcriptions", "whisper-1"),
        ("whisper-azure", "azure", f"{DEPLOYMENT}/audio/transcriptions", "gpt-4o-sweden"),
        ("whisper-azure", "azure_v1", "/openai/v1/audio/transcriptions", "gpt-4o-sweden"),
    ],
    indirect=["served"],
)
def test_transcribes_a_file(tenkey, client_of, model, served, path, upstream_model):
    client = client_of(served.tenant)
    file = ("möte.mp3", SOUND, "audio/mpeg")
    answer = client.audio.transcriptions.create(file=file, model=model, language="sv")
    assert answer.text == f"heard {len(SOUND)} bytes"
    seen = tenkey.requests[-1]
    assert (seen["path"], seen["key"]) == (path, served.key)
    assert seen["form"] == {
        "model": upstream_model,
        "language": "sv",
        "file": {"name": "möte.mp3", "type": "audio/mpeg", "size": len(SOUND)},
    }
    text = client.audio.transcriptions.create(file=file, model=model, response_format="text")
    assert text == f"heard {len(SOUND)} bytes\n"


def test_transcribes_as_a_stream_and_sends_a_list(tenkey, client_of):
    stream = client_of().audio.transcriptions.create(
        file=("möte.mp3", SOUND), model="whisper", timestamp_granularities=["word"], stream=True
    )
    text = "".join(event.delta for event in stream if event.type == "transcript.text.delta")
    assert text == f"heard {len(SOUND)} bytes"
    form = tenkey.requests[-1]["form"]
    assert (form["stream"], form["timestamp_granularities[]"]) == ("true", "word")


def test_translates_speech(tenkey, client_of):
    answer = client_of().audio.translations.create(file=("möte.mp3", SOUND), model="whisper")
    assert answer.text == f"heard {len(SOUND)} bytes"
    seen = tenkey.requests[-1]
    assert (seen["path"], seen["form"]["model"]) == ("/v1/audio/translations", "whisper-1")


def test_transcribes_an_open_file(client_of, tmp_path):
    path = tmp_path / "meeting.wav"
    path.write_bytes(SOUND)
    with path.open("rb") as file:
        answer = client_of().audio.transcriptions.create(file=file, model="whisper")
    assert answer.text == f"heard {len(SOUND)} bytes"


def test_speaks_byte_for_byte(tenkey, client_of):
    answer = client_of().audio.speech.create(model="speech", input="hej", voice="alloy")
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert answer.content == SOUND
    assert tenkey.requests[-1]["body"]["model"] == "gpt-4o-mini-tts"


def test_draws(tenkey, client_of):
    answer = client_of().images.generate(model="image", prompt="a lighthouse")
    assert answer.data[0].b64_json == "iVBORw0KGgo="
    assert tenkey.requests[-1]["body"]["model"] == "gpt-image-1"


def test_edits_several_images_at_once(tenkey, client_of):
    images = [(f"{number}.png", SOUND, "image/png") for number in range(2)]
    answer = client_of().images.edit(model="image", image=images, prompt="without the lighthouse")
    assert answer.data[0].b64_json == "iVBORw0KGgo="
    seen = tenkey.requests[-1]
    assert (seen["path"], seen["form"]["model"]) == ("/v1/images/edits", "gpt-image-1")
    assert seen["form"]["image[]"]["size"] == len(SOUND)


def test_moderates(tenkey, client_of):
    answer = client_of().moderations.create(model="moderation", input="good morning")
    assert answer.results[0].flagged is False
    assert tenkey.requests[-1]["body"]["model"] == "omni-moderation-latest"


def test_lists_the_models_and_retrieves_one(client_of):
    client = client_of()
    names = [model.id for model in client.models.list()]
    assert {"gpt-4o", "whisper", "claude-sonnet"} <= set(names)
    assert client.models.retrieve("claude-sonnet").id == "claude-sonnet"
    with pytest.raises(NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize("served", ["vllm"], indirect=True)
def test_completes_text_whole_and_streamed(tenkey, client_of, served):
    client = client_of()
    whole = client.completions.create(model=served.model, prompt="once upon a time")
    assert whole.choices[0].text == "echo: once upon a time"
    seen = tenkey.requests[-1]
    assert (seen["path"], seen["key"]) == ("/v1/completions", served.key)
    stream = client.completions.create(model=served.model, prompt="once upon a time", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "echo: once upon a time"


@pytest.mark.parametrize(
    ("served", "path"),
    [
        ("openai", "/v1/responses"),
        ("azure", "/openai/responses"),
        ("azure_v1", "/openai/v1/responses"),
        ("vllm", "/v1/responses"),
        ("mistral", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
    ],
    indirect=["served"],
)
class TestTheClientOfResponses:
    def test_gets_a_whole_response(self, tenkey, client_of, served, path):
        answer = client_of(served.tenant).responses.create(model=served.model, input="good morning")
        assert answer.output_text == "echo: good morning"
        seen = tenkey.requests[-1]
        assert (seen["path"], seen["key"]) == (path, served.key)

    def test_gets_a_stream_of_events(self, client_of, served, path):
        stream = client_of(served.tenant).responses.create(
            model=served.model, input="good morning", stream=True
        )
        events = list(stream)
        assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == "echo: good morning"

    def test_parses_json_of_a_schema_whole_and_streamed(self, client_of, served, path):
        client = client_of(served.tenant)
        request = {"model": served.model, "input": "good morning", "text_format": Answer}
        expected = Answer(answer="echo: good morning")
        assert client.responses.parse(**request).output_parsed == expected
        with client.responses.stream(**request) as stream:
            assert stream.get_final_response().output_parsed == expected

    def test_raises_an_error_when_a_stream_breaks_off(self, tenkey, client_of, served, path):
        # In the middle of the answer, which is shorter where the response is translated.
        native = path.endswith("/responses")
        tenkey.next(breakAfterChunks=6 if native else 4)
        types = []
        with pytest.raises(APIError):
            for event in client_of(served.tenant).responses.create(
                model=served.model, input="good morning", stream=True
            ):
                types.append(event.type)
        assert "response.output_text.delta" in types
