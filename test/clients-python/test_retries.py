"""One call reaches the provider for each try of the client, and the client tries as often as the provider lets it."""

import anthropic
import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI

from tenkey import until

MESSAGES = [{"role": "user", "content": "good morning"}]
SOON = {"retry-after-ms": "20"}


@pytest.fixture
def ask_openai(tenkey):
    client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=2)
    return lambda: client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


@pytest.fixture
def ask_anthropic(tenkey):
    client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=tenkey.origin, max_retries=2)
    return lambda: client.messages.create(model="claude-sonnet", max_tokens=9, messages=MESSAGES)


@pytest.fixture
def ask_langchain(tenkey):
    model = ChatOpenAI(
        model="gpt-4o", api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=2
    )
    return lambda: model.invoke("good morning")


@pytest.fixture
def ask_litellm(tenkey):
    return lambda: litellm.completion(
        model="openai/gpt-4o",
        messages=MESSAGES,
        api_key=tenkey.tenant_key,
        api_base=f"{tenkey.origin}/v1",
        max_retries=2,
    )


@pytest.fixture(params=["openai", "anthropic", "langchain", "litellm"])
def ask(request):
    """Asks with two retries."""
    return request.getfixturevalue(f"ask_{request.param}")


@pytest.mark.parametrize("status", [503, 500, 429])
class TestTwoRetries:
    def test_are_three_calls_when_each_fails(self, tenkey, ask, status):
        for _ in range(4):
            tenkey.next(status=status, headers=SOON)
        with pytest.raises(Exception, match=f"{status}|502"):
            ask()
        assert len(tenkey.requests) == 3

    def test_are_two_calls_when_the_second_succeeds(self, tenkey, ask, status):
        tenkey.next(status=status, headers=SOON)
        ask()
        assert len(tenkey.requests) == 2


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_provider_that_forbids_a_retry_gets_one_call(tenkey, ask, status):
    for _ in range(3):
        tenkey.next(status=status, headers={"x-should-retry": "false"})
    with pytest.raises(Exception, match=f"{status}|502"):
        ask()
    assert len(tenkey.requests) == 1


def test_a_provider_that_asks_for_a_retry_gets_it(tenkey, ask):
    tenkey.next(status=400, headers={**SOON, "x-should-retry": "true"})
    ask()
    assert len(tenkey.requests) == 2


def test_a_used_up_quota_is_not_tried_again(tenkey, ask_openai):
    error = {"message": "You exceeded it.", "type": "insufficient_quota", "code": "insufficient_quota"}
    for _ in range(3):
        tenkey.next(status=429, body={"error": error})
    with pytest.raises(openai.RateLimitError):
        ask_openai()
    assert len(tenkey.requests) == 1


def test_an_overload_of_anthropic_is_tried_again(tenkey, ask_anthropic):
    tenkey.next(
        status=529,
        headers=SOON,
        body={"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    )
    ask_anthropic()
    assert len(tenkey.requests) == 2


def test_a_missing_credential_is_not_tried_again(tenkey):
    client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=2)
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model="without-a-credential", messages=MESSAGES)
    assert (raised.value.status_code, raised.value.code) == (424, "credential_not_configured")
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert tenkey.requests == []


def test_a_credential_that_the_provider_rejects_is_not_tried_again_nor_taken_for_the_key_of_the_client(
    tenkey, ask_openai, ask_anthropic
):
    for name, ask, package in (("openai", ask_openai, openai), ("anthropic", ask_anthropic, anthropic)):
        key = tenkey.models[name].key
        tenkey.reject_key(key)
        with pytest.raises(package.APIStatusError) as raised:
            ask()
        assert not isinstance(raised.value, package.AuthenticationError)
        assert raised.value.status_code == 424
        assert key not in str(raised.value)
    assert len(tenkey.requests) == 2


def test_a_client_that_gives_up_waiting_ends_its_call_and_tries_again(tenkey):
    client = openai.OpenAI(
        api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=1, timeout=0.5
    )
    for _ in range(2):
        tenkey.next(delayMs=20_000)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    until(lambda: [request["aborted"] for request in tenkey.requests] == [True, True])
