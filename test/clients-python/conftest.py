"""Starts Tenkey once for all tests, and writes their result where `.ci/run` reads it."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from tenkey import Tenkey

# The clients read these when they are imported. A key or an address of the developer must not change a test, and no
# client may send anything anywhere else: litellm would fetch a list of models, and openai-agents would upload its traces.
for name in list(os.environ):
    if name.lower().startswith(("openai_", "anthropic_", "azure_", "litellm_", "langchain_", "langsmith_")):
        del os.environ[name]
os.environ["NO_PROXY"] = "127.0.0.1"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
# litellm contains the file that tiktoken would fetch to count the tokens of a text.
LITELLM = Path(importlib.util.find_spec("litellm").origin).parent
os.environ["TIKTOKEN_CACHE_DIR"] = str(LITELLM / "litellm_core_utils/tokenizers")


@pytest.fixture(scope="session")
def running_tenkey():
    tenkey = Tenkey()
    yield tenkey
    tenkey.close()


@pytest.fixture
def tenkey(running_tenkey):
    """Tenkey with a provider that has not received any request, and that answers as usual."""
    running_tenkey.reset()
    return running_tenkey


@pytest.fixture
def served(tenkey, request):
    """The model whose name in `Tenkey.models` is the parameter."""
    return tenkey.models[request.param]


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def event_loop(anyio_backend):
    """Keeps one event loop for all tests, because litellm and langchain-openai keep their connections between calls."""
    yield


def pytest_addoption(parser):
    parser.addoption("--outputFile", help="a file for the number of tests, in the format of jest")


def pytest_sessionfinish(session):
    path = session.config.getoption("--outputFile")
    if path is None:
        return
    stats = session.config.pluginmanager.get_plugin("terminalreporter").stats
    count = {name: len(stats.get(name, [])) for name in ("passed", "failed", "error")}
    result = {
        "numPassedTests": count["passed"],
        "numFailedTests": count["failed"],
        "numRuntimeErrorTestSuites": count["error"],
    }
    with open(path, "w") as file:
        json.dump(result, file)
