import asyncio

import pytest
from openai import AsyncOpenAI, NotFoundError

from tenkey import CHAT_MODELS, SOUND, VECTOR, text_of

MESSAGES = [{"role": "user", "content": "good morning"}]


@pytest.fixture
async def client(tenkey, served):
    async with AsyncOpenAI(
        api_key="not-read-by-tenkey",
        base_url=f"{tenkey.origin}/v1",
        default_headers=tenkey.headers(served.tenant),
        max_retries=0,
    ) as client:
        yield client


@pytest.mark.parametrize("served", CHAT_MODELS, indirect=True)
class TestTheAsynchronousClientOfAChatModel:
    async def test_gets_a_response_whole_and_streamed(self, tenkey, client, served):
        whole = await client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert whole.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)
        text = ""
        async for chunk in await client.chat.completions.create(
            model=served.model, messages=MESSAGES, stream=True
        ):
            text += text_of(chunk)
        assert text == "echo: good morning"
        tenkey.expect_seen(served)

    async def test_asks_for_a_response_streamed(self, client, served):
        async with client.responses.stream(model=served.model, input="good morning") as stream:
            final = await stream.get_final_response()
        assert final.output_text == "echo: good morning"

    async def test_makes_many_calls_at_once_on_one_client(self, client, served):
        async def ask(number):
            answer = await client.chat.completions.create(
                model=served.model, messages=[{"role": "user", "content": f"number {number}"}]
            )
            return answer.choices[0].message.content

        answers = await asyncio.gather(*map(ask, range(30)))
        assert answers == [f"echo: number {number}" for number in range(30)]


@pytest.mark.parametrize("served", ["openai"], indirect=True)
class TestTheAsynchronousClient:
    async def test_embeds(self, client):
        answer = await client.embeddings.create(model="embedding", input=["one", "two"])
        assert [each.embedding for each in answer.data] == [VECTOR, VECTOR]

    async def test_streams_speech_as_bytes(self, client):
        async with client.audio.speech.with_streaming_response.create(
            model="speech", input="hej", voice="alloy"
        ) as answer:
            assert await answer.read() == SOUND

    async def test_raises_its_own_error(self, client):
        with pytest.raises(NotFoundError) as raised:
            await client.chat.completions.create(model="no-such-model", messages=MESSAGES)
        assert raised.value.code == "model_not_found"
