"""Every client with nothing but a tenant key and an address, as a tenant's own applications use it."""

import anthropic
import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from tenkey import VECTOR

MESSAGES = [{"role": "user", "content": "good morning"}]


@pytest.mark.parametrize("served", ["openai", "anthropic"], indirect=True)
class TestWithATenantKey:
    def test_openai_asks(self, tenkey, served):
        client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1")
        answer = client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)

    async def test_openai_asks_asynchronously(self, tenkey, served):
        async with openai.AsyncOpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1") as client:
            answer = await client.chat.completions.create(model=served.model, messages=MESSAGES)
        assert answer.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)

    @pytest.mark.parametrize("parameter", ["api_key", "auth_token"])
    def test_anthropic_asks(self, tenkey, served, parameter):
        client = anthropic.Anthropic(**{parameter: tenkey.tenant_key}, base_url=tenkey.origin)
        answer = client.messages.create(model=served.model, max_tokens=10, messages=MESSAGES)
        assert answer.content[0].text == "echo: good morning"
        tenkey.expect_seen(served)

    @pytest.mark.parametrize(
        ("prefix", "path"), [("openai", "/v1"), ("litellm_proxy", "/v1"), ("anthropic", "")]
    )
    def test_litellm_asks(self, tenkey, served, prefix, path):
        answer = litellm.completion(
            model=f"{prefix}/{served.model}",
            messages=MESSAGES,
            api_key=tenkey.tenant_key,
            api_base=tenkey.origin + path,
        )
        assert answer.choices[0].message.content == "echo: good morning"
        tenkey.expect_seen(served)

    def test_langchain_asks(self, tenkey, served):
        model = ChatOpenAI(model=served.model, api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1")
        assert model.invoke("good morning").text == "echo: good morning"
        tenkey.expect_seen(served)


def test_with_a_tenant_key_langchain_embeds(tenkey):
    embeddings = OpenAIEmbeddings(
        model="embedding", api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1"
    )
    assert embeddings.embed_query("one") == VECTOR


class TestWithAWrongAddress:
    """The error names the right one, in the words of the client."""

    def test_openai_and_langchain_learn_that_v1_is_missing(self, tenkey):
        fix = "base URL of OpenAI's clients is the address of this server followed by /v1;"
        client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=tenkey.origin)
        with pytest.raises(openai.NotFoundError, match=fix):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        with pytest.raises(openai.NotFoundError, match=fix):
            ChatOpenAI(model="gpt-4o", api_key=tenkey.tenant_key, base_url=tenkey.origin).invoke("hello")

    def test_anthropic_learns_that_v1_is_too_much(self, tenkey):
        client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1")
        fix = "base URL of Anthropic's clients is the address of this server without"
        with pytest.raises(anthropic.NotFoundError, match=fix):
            client.messages.create(model="claude-sonnet", max_tokens=10, messages=MESSAGES)

    @pytest.mark.parametrize(
        ("prefix", "path", "fix"),
        [
            ("openai", "", "followed by /v1;"),
            ("litellm_proxy", "", "followed by /v1;"),
            ("anthropic", "/v1", "this server without a path;"),
        ],
    )
    def test_litellm_learns_what_its_prefix_needs(self, tenkey, prefix, path, fix):
        with pytest.raises(litellm.NotFoundError, match=fix):
            litellm.completion(
                model=f"{prefix}/gpt-4o",
                messages=MESSAGES,
                api_key=tenkey.tenant_key,
                api_base=tenkey.origin + path,
            )


class TestWithAMistypedKey:
    @pytest.fixture
    def mistyped(self, tenkey):
        return tenkey.tenant_key[:-1] + ("1" if tenkey.tenant_key.endswith("0") else "0")

    def test_each_client_raises_its_own_authentication_error(self, tenkey, mistyped):
        url = f"{tenkey.origin}/v1"
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(api_key=mistyped, base_url=url).models.list()
        with pytest.raises(anthropic.AuthenticationError):
            anthropic.Anthropic(api_key=mistyped, base_url=tenkey.origin).messages.create(
                model="claude-sonnet", max_tokens=10, messages=MESSAGES
            )
        for prefix, base in (("openai", url), ("anthropic", tenkey.origin)):
            with pytest.raises(litellm.AuthenticationError):
                litellm.completion(
                    model=f"{prefix}/claude-sonnet", messages=MESSAGES, api_key=mistyped, api_base=base
                )
        with pytest.raises(openai.AuthenticationError):
            ChatOpenAI(model="gpt-4o", api_key=mistyped, base_url=url).invoke("good morning")
        assert tenkey.requests == []
