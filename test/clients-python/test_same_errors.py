"""Through Tenkey, a client raises the same error as from the provider itself."""

import anthropic
import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI

MESSAGES = [{"role": "user", "content": "good morning"}]
TOO_LONG = "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens."
WAIT = {
    "retry-after": "287441",
    "retry-after-ms": "287441000",
    "x-ratelimit-remaining-requests": "0",
    "x-should-retry": "false",
}


def error(message, type, code, param=None):
    return {"message": message, "type": type, "param": param, "code": code}


# The status, the error and the headers, as OpenAI or Azure sends them.
OF_OPENAI = {
    "a context that is too long": (
        400,
        error(TOO_LONG, "invalid_request_error", "context_length_exceeded", "messages"),
        {},
    ),
    "a content filter": (
        400,
        {
            **error("The response was filtered due to the prompt.", None, "content_filter", "prompt"),
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
            },
        },
        {},
    ),
    "a content policy": (
        400,
        error(
            "Your request was rejected by the safety system.",
            "image_generation_user_error",
            "content_policy_violation",
        ),
        {},
    ),
    "a parameter that is wrong": (
        400,
        error("Invalid 'temperature'.", "invalid_request_error", "decimal_above_max_value", "temperature"),
        {},
    ),
    "a used-up quota": (429, error("You exceeded it.", "insufficient_quota", "insufficient_quota"), WAIT),
    "a rate limit": (429, error("Slow down.", "requests", "rate_limit_exceeded"), WAIT),
    "a payment that is required": (402, error("Pay.", "billing", "no_money"), {}),
    "a model that does not exist": (404, error("No.", "invalid_request_error", "model_not_found"), {}),
    "a conflict": (409, error("Busy.", "invalid_request_error", "busy"), {}),
    "a body that is too large": (413, error("Large.", "invalid_request_error", "too_large"), {}),
    "a faulty entity": (422, error("No.", "invalid_request_error", "no", "messages"), {}),
    "a failure": (500, error("Oh.", "server_error", "server_error"), {}),
    "an overload": (503, error("Busy.", "server_error", "overloaded"), {}),
    "a time-out": (504, error("Late.", "server_error", "late"), {}),
}

# The status, the type and the message, as Anthropic sends them.
OF_ANTHROPIC = {
    "a faulty request": (400, "invalid_request_error", "messages: at least one message is required"),
    "a prompt that is too long": (
        400,
        "invalid_request_error",
        "prompt is too long: 208310 tokens > 200000 maximum",
    ),
    "a payment that is required": (402, "billing_error", "Your credit balance is too low."),
    "a model that does not exist": (404, "not_found_error", "model: claude-none"),
    "a body that is too large": (413, "request_too_large", "Request exceeds the maximum size"),
    "a rate limit": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "a failure": (500, "api_error", "Internal server error"),
    "a time-out": (504, "timeout_error", "Request timed out"),
    "an overload": (529, "overloaded_error", "Overloaded"),
}


# The status of a failure differs, because Tenkey is a gateway (RFC 9110, 15.6.3). litellm has a class for it.
FAILURES = {500: "failure", 502: "failure", "InternalServerError": "failure", "BadGatewayError": "failure"}


def kind_of(status_or_class):
    return FAILURES.get(status_or_class, status_or_class)


@pytest.fixture
def errors_of(tenkey):
    """Makes a call fail at the provider itself, then through Tenkey, and returns both errors."""

    def errors_of(answer, call):
        errors = []
        for origin in (tenkey.provider, tenkey.origin):
            tenkey.next(**answer)
            with pytest.raises(Exception) as raised:
                call(origin)
            errors.append(raised.value)
        return errors

    return errors_of


@pytest.fixture(params=OF_OPENAI)
def answer_of_openai(request):
    status, error, headers = OF_OPENAI[request.param]
    return {"status": status, "body": {"error": error}, "headers": headers}


@pytest.fixture(params=OF_ANTHROPIC)
def answer_of_anthropic(request):
    status, type, message = OF_ANTHROPIC[request.param]
    return {
        "status": status,
        "body": {"type": "error", "error": {"type": type, "message": message}},
        "headers": {"retry-after": "7"} if status == 429 else {},
    }


def test_openai(tenkey, answer_of_openai, errors_of):
    def call(origin):
        client = openai.OpenAI(api_key=tenkey.tenant_key, base_url=f"{origin}/v1", max_retries=0)
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    def seen(error):
        return {
            "class": type(error),
            "status": kind_of(error.status_code),
            "message": error.body["message"],
            "code": error.code,
            "param": error.param,
            "wait": {name: error.response.headers.get(name) for name in WAIT},
            "innererror": error.body.get("innererror"),
        }

    direct, through_tenkey = map(seen, errors_of(answer_of_openai, call))
    if answer_of_openai["headers"] == {}:
        # Tenkey may know that a retry cannot help, where the provider did not say so.
        del direct["wait"], through_tenkey["wait"]
    assert through_tenkey == direct


def test_anthropic(tenkey, answer_of_anthropic, errors_of):
    def call(origin):
        client = anthropic.Anthropic(api_key=tenkey.tenant_key, base_url=origin, max_retries=0)
        client.messages.create(model="claude-sonnet", max_tokens=9, messages=MESSAGES)

    def seen(error):
        return {
            "class": type(error),
            "status": kind_of(error.status_code),
            "type": error.type,
            "message": error.body["error"]["message"],
            "retry-after": error.response.headers.get("retry-after"),
        }

    direct, through_tenkey = map(seen, errors_of(answer_of_anthropic, call))
    assert through_tenkey == direct


def test_litellm_of_openai(tenkey, answer_of_openai, errors_of):
    def call(origin):
        litellm.completion(
            model="openai/gpt-4o",
            messages=MESSAGES,
            api_key=tenkey.tenant_key,
            api_base=f"{origin}/v1",
            max_retries=0,
        )

    def seen(error):
        return {"class": kind_of(type(error).__name__), "status": kind_of(error.status_code)}

    direct, through_tenkey = map(seen, errors_of(answer_of_openai, call))
    assert through_tenkey == direct


def test_litellm_of_anthropic(tenkey, answer_of_anthropic, errors_of):
    def call(origin):
        litellm.completion(
            model="anthropic/claude-sonnet",
            messages=MESSAGES,
            api_key=tenkey.tenant_key,
            api_base=origin,
            max_retries=0,
        )

    def seen(error):
        return {"class": kind_of(type(error).__name__), "status": kind_of(error.status_code)}

    direct, through_tenkey = map(seen, errors_of(answer_of_anthropic, call))
    assert through_tenkey == direct


def test_langchain_openai(tenkey, answer_of_openai, errors_of):
    def call(origin):
        model = ChatOpenAI(model="gpt-4o", api_key=tenkey.tenant_key, base_url=f"{origin}/v1", max_retries=0)
        model.invoke("good morning")

    def seen(error):
        return {"class": type(error), "status": kind_of(error.status_code), "code": error.code}

    direct, through_tenkey = map(seen, errors_of(answer_of_openai, call))
    assert through_tenkey == direct
