"""The OpenAI Agents SDK, which speaks both the Responses API and chat completions."""

from itertools import product

import pytest
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    handoff,
)
from openai import APIError, AsyncOpenAI, BadRequestError
from pydantic import BaseModel

from tenkey import CHAT_MODELS

# The Responses API is translated for Mistral and Anthropic, chat completions for Anthropic.
MODELS = [*product([OpenAIResponsesModel, OpenAIChatCompletionsModel], CHAT_MODELS)]
NATIVE = ["openai", "azure", "azure_v1", "vllm"]


class Answer(BaseModel):
    answer: str


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"snow in {city}"


@pytest.fixture
async def model_of(tenkey):
    clients = []

    def model_of(kind, served):
        client = AsyncOpenAI(
            api_key="not-read-by-tenkey",
            base_url=f"{tenkey.origin}/v1",
            default_headers=tenkey.headers(served.tenant),
            max_retries=0,
        )
        clients.append(client)
        return kind(model=served.model, openai_client=client)

    yield model_of
    for client in clients:
        await client.close()


def call_of_a_tool(name, arguments):
    """The response of a model with the Responses API that calls a tool."""
    return {
        "id": "resp_tool",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "model": "gpt-4o",
        "output": [
            {
                "id": "fc_1",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": name,
                "arguments": arguments,
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 5,
        },
    }


@pytest.mark.parametrize(("kind", "served"), MODELS, indirect=["served"])
class TestAnAgent:
    @pytest.fixture
    def model(self, model_of, kind, served):
        return model_of(kind, served)

    async def test_answers(self, tenkey, model, served):
        result = await Runner.run(Agent(name="clerk", instructions="Be brief.", model=model), "good morning")
        assert result.final_output == "echo: good morning"
        assert result.context_wrapper.usage.total_tokens == 5
        assert tenkey.requests[-1]["key"] == served.key

    async def test_answers_as_a_stream(self, model):
        result = Runner.run_streamed(Agent(name="clerk", model=model), "good morning")
        text = ""
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                text += event.data.delta
        assert text == result.final_output == "echo: good morning"

    async def test_continues_a_conversation(self, model):
        agent = Agent(name="clerk", model=model)
        first = await Runner.run(agent, "good morning")
        history = [*first.to_input_list(), {"role": "user", "content": "good evening"}]
        assert (await Runner.run(agent, history)).final_output == "echo: good evening"

    async def test_reads_an_object_of_a_schema(self, model):
        agent = Agent(name="clerk", model=model, output_type=Answer)
        assert (await Runner.run(agent, "good morning")).final_output == Answer(answer="echo: good morning")

    async def test_raises_an_error_when_its_stream_breaks_off(self, tenkey, model):
        tenkey.next(breakAfterChunks=4)
        result = Runner.run_streamed(Agent(name="clerk", model=model), "good morning")
        with pytest.raises(APIError):
            async for _ in result.stream_events():
                pass

    async def test_raises_the_error_of_the_provider(self, tenkey, model):
        tenkey.next(status=400, body={"error": {"message": "No.", "code": "context_length_exceeded"}})
        with pytest.raises(BadRequestError) as raised:
            await Runner.run(Agent(name="clerk", model=model), "good morning")
        assert raised.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("kind", "served"),
    # The local provider's own Responses API calls no tools.
    [(kind, name) for kind, name in MODELS if kind is OpenAIChatCompletionsModel or name not in NATIVE],
    indirect=["served"],
)
class TestAnAgentWithATool:
    @pytest.fixture
    def model(self, model_of, kind, served):
        return model_of(kind, served)

    async def test_calls_its_tool_and_answers_with_the_result(self, tenkey, model):
        result = await Runner.run(Agent(name="clerk", model=model, tools=[weather]), "good morning")
        assert result.final_output == "echo: snow in Umeå"
        assert len(tenkey.requests) == 2

    async def test_calls_its_tool_in_a_stream(self, model):
        result = Runner.run_streamed(Agent(name="clerk", model=model, tools=[weather]), "good morning")
        async for _ in result.stream_events():
            pass
        assert result.final_output == "echo: snow in Umeå"

    async def test_hands_over_to_another_agent(self, model):
        other = Agent(name="weatherman", instructions="You know the weather.", model=model)
        result = await Runner.run(Agent(name="clerk", model=model, handoffs=[handoff(other)]), "good morning")
        assert result.last_agent.name == "weatherman"


@pytest.mark.parametrize("served", NATIVE, indirect=True)
async def test_an_agent_of_a_native_responses_api_calls_its_tool_and_answers_with_the_result(
    tenkey, model_of, served
):
    tenkey.next(body=call_of_a_tool("weather", '{"city":"Umeå"}'))
    agent = Agent(name="clerk", model=model_of(OpenAIResponsesModel, served), tools=[weather])
    result = await Runner.run(agent, "good morning")
    assert result.final_output.startswith("echo:")
    output = tenkey.requests[-1]["body"]["input"][-1]
    assert (output["type"], output["call_id"], output["output"]) == (
        "function_call_output",
        "call_1",
        "snow in Umeå",
    )
