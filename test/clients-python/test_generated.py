"""A client that openapi-python-client generates from the OpenAPI document, against the running service."""

import importlib
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import httpx
import pytest

CONFIG = Path(__file__).with_name("openapi-python-client.yaml")
PACKAGE = "generated_tenkey"


@pytest.fixture(scope="module")
def generated(running_tenkey, tmp_path_factory):
    """Returns a function that imports a module of the generated package."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(httpx.get(f"{running_tenkey.origin}/docs/openapi.json").text)
    command = ["-m", "openapi_python_client", "generate", "--path", document, "--config", CONFIG]
    output = ["--meta", "none", "--output-path", folder / PACKAGE, "--fail-on-warning"]
    result = subprocess.run([sys.executable, *command, *output], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))


@pytest.fixture
def models(generated) -> ModuleType:
    return generated("models")


@pytest.fixture
def client(generated, running_tenkey):
    return generated("client").AuthenticatedClient(
        base_url=running_tenkey.origin,
        token=running_tenkey.super_key,
        auth_header_name="X-API-Key",
        prefix="",
        raise_on_unexpected_status=True,
    )


def test_takes_on_a_tenant(generated, models, client):
    name = f"of-a-generated-client-{uuid4()}"
    created = generated("api.tenants.create_tenant").sync(
        client=client, body=models.CreateTenantRequest(name=name)
    )
    assert isinstance(created, models.TenantResponse)
    assert (created.name, created.state) == (name, models.TenantState.ACTIVE)

    azure = (created.id, "azure")
    deployments = models.AzureCredentialDeploymentsType0.from_dict({"gpt-4o-mini": "gpt-4o-mini-sweden"})
    body = models.AzureCredential(
        api_key="key-of-a-generated-client-xyz9",
        endpoint="https://generated.openai.azure.com",
        api_version="2024-10-21",
        deployment_name="gpt-4o-sweden",
        deployments=deployments,
    )
    stored = generated("api.credentials.set_credential").sync(*azure, client=client, body=body)
    assert isinstance(stored, models.SetCredentialResponse)
    assert stored.masked_key == "...xyz9"

    listed = generated("api.credentials.list_credentials").sync(created.id, client=client)
    assert isinstance(listed, models.ListCredentialsResponse)
    [credential] = listed.credentials
    assert (credential.provider, credential.status) == ("azure", models.CredentialStatus.READY)
    assert isinstance(credential.configured_at, datetime)
    assert (credential.expires_at, credential.verification, credential.staged) == (None, None, None)

    delete = generated("api.credentials.delete_credential").sync
    assert delete(*azure, client=client).deleted is True
    assert delete(*azure, client=client).deleted is False

    removed = generated("api.tenants.delete_tenant").sync_detailed(created.id, client=client)
    assert removed.status_code == 204


def test_reads_a_typed_problem(generated, models, client, running_tenkey):
    created = generated("api.tenants.create_tenant").sync(
        client=client, body=models.CreateTenantRequest(name=f"with-a-problem-{uuid4()}")
    )
    problem = generated("api.credentials.set_credential").sync(
        created.id,
        "azure",
        client=client,
        body=models.OpenaiCredential(api_key="key-of-another-provider"),
    )
    assert isinstance(problem, models.Problem)
    assert problem.code is models.ProblemCode.CREDENTIAL_VALIDATION_FAILED
    assert problem.status == 422
    assert {fault.path for fault in problem.errors} == {"endpoint", "api_version", "deployment_name"}

    missing = generated("api.tenants.get_tenant").sync(uuid4(), client=client)
    assert isinstance(missing, models.Problem)
    assert missing.code is models.ProblemCode.TENANT_NOT_FOUND

    of_tenant = generated("client").AuthenticatedClient(
        base_url=running_tenkey.origin, token=running_tenkey.tenant_key
    )
    error = generated("api.platform_api.get_model").sync("no-such-model", client=of_tenant)
    assert isinstance(error, models.OpenAiError)
    assert error.error.tenkey_code is models.ProblemCode.MODEL_NOT_FOUND
