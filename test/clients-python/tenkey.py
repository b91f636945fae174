"""Tenkey and the local provider, as serve.ts starts them in a process of their own."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = ["node", "scripts/run.cjs", "test/clients-python/serve.js"]

# What the local provider answers: the values of test/support/provider-answers.ts.
VECTOR = [0.125, -0.5, 0.75]
SOUND = bytes(range(256)) * 400

# The names in `Tenkey.models`, one of each kind of provider that serves chat completions.
CHAT_MODELS = ["openai", "azure", "azure_v1", "vllm", "mistral", "anthropic"]


@dataclass(frozen=True)
class Model:
    """A model as a client names it, and the request that its provider must then receive."""

    title: str
    model: str
    tenant: str
    path: str
    key: str
    upstreamModel: str


class Tenkey:
    """`next`, `reject_key`, `requests` and `reset` are those of test/support/provider-server.ts."""

    def __init__(self) -> None:
        # In a session of its own it does not get a Ctrl-C, but stops properly when its input ends.
        self._process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started = self._read()
        self.origin: str = started["origin"]
        self.provider: str = started["provider"]
        self.tenant_key: str = started["tenant_key"]
        self.super_key: str = started["super_key"]
        self.models = {name: Model(**fields) for name, fields in started["models"].items()}
        self._headers = started["headers"]

    def headers(self, tenant: str = "dated") -> dict[str, str]:
        """The headers of the platform key and of the tenant."""
        return self._headers[tenant]

    def next(self, **answer: Any) -> None:
        self._do("next", answer)

    def next_streamed_message(self, message: dict[str, Any]) -> None:
        """Anthropic's provider answers with this message next, as a stream in small pieces."""
        self._do("nextStreamedMessage", message)

    def next_streamed_chat(self, completion: dict[str, Any]) -> None:
        """OpenAI's provider answers with this chat completion next, as a stream whose tool calls take turns."""
        self._do("nextStreamedChat", completion)

    def reject_key(self, key: str) -> None:
        self._do("rejectKey", key)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self._do("requests")

    def reset(self) -> None:
        self._do("reset")

    def expect_seen(self, model: Model, path: str | None = None) -> None:
        """Expects that the last request was for this model, with its tenant's key, at its path or another one."""
        last = self.requests[-1]
        seen = (last["path"], last["key"], last["body"]["model"])
        assert seen == (path or model.path, model.key, model.upstreamModel)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _do(self, command: str, argument: Any = None) -> Any:
        self._process.stdin.write(json.dumps([command, argument]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        line = self._process.stdout.readline()
        if line == "":
            raise RuntimeError(f"Tenkey has stopped with exit code {self._process.wait()}")
        return json.loads(line)


def text_of(chunk: Any) -> str:
    """The text of a chunk of a chat completion. Azure's first chunk has no choices."""
    return "".join(choice.delta.content or "" for choice in chunk.choices)


def until(holds: Callable[[], bool], timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.02)
