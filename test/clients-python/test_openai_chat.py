from openai import OpenAI


def test_asks_openai_with_the_tenant_key(tenkey):
    client = OpenAI(api_key=tenkey.tenant_key, base_url=f"{tenkey.origin}/v1", max_retries=0)
    answer = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "good morning"}]
    )
    assert answer.choices[0].message.content == "echo: good morning"
    tenkey.expect_seen(tenkey.models["openai"])
