import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { ApiKeyFields, apiKeyField, IsEndpoint, IsWritten, refusing, Trimmed } from '../credential-fields';
import { defineProvider, type Settings } from '../provider';
import { InvalidTarget, urlBelow } from '../target-url';

const deploymentPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const deploymentForm =
  '1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit';
const apiVersionPattern = /^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/;
const apiVersionForm = 'an API version such as 2024-10-21';

class AzureFields extends ApiKeyFields {
  @ApiProperty({
    type: String,
    description: 'Address of the Azure resource; every host of Azure is accepted, and proxies before one.',
    example: 'https://my-resource.openai.azure.com',
    maxLength: 2048,
  })
  @Trimmed()
  @IsEndpoint()
  endpoint: string;

  @ApiProperty({ type: String, description: 'Azure API version.', example: '2024-10-21' })
  @Trimmed()
  @IsWritten(apiVersionPattern, apiVersionForm)
  api_version: string;

  @ApiProperty({
    type: String,
    description: 'Deployment for every model that `deployments` does not name.',
    example: 'gpt-4o-sweden',
  })
  @Trimmed()
  @IsWritten(deploymentPattern, deploymentForm)
  deployment_name: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Deployment of single models: upstream model -> deployment name.',
    example: { 'gpt-4o-mini': 'gpt-4o-mini-sweden' },
    nullable: true,
  })
  @IsOptional()
  @refusing('isDeployments', faultOfDeployments)
  deployments?: Record<string, string> | null;
}

/** Azure OpenAI: the deployment is in the path and decides the model; the endpoint is always the tenant's own. */
export const azure = defineProvider({
  id: 'azure',
  label: 'Azure OpenAI',
  prefixes: [],
  families: ['azure'],
  isDefault: false,
  credentialClass: AzureFields,
  fields: [
    apiKeyField,
    { name: 'endpoint', required: true },
    { name: 'api_version', required: true },
    { name: 'deployment_name', required: true },
    { name: 'deployments', required: false },
  ],
  example: {
    api_key: 'not-a-real-azure-key',
    endpoint: 'https://my-resource.openai.azure.com',
    api_version: '2024-10-21',
    deployment_name: 'gpt-4o-sweden',
    deployments: { 'gpt-4o-mini': 'gpt-4o-mini-sweden' },
  },
  globalVariables: {
    apiKey: 'AZURE_API_KEY',
    settings: {
      endpoint: 'AZURE_ENDPOINT',
      api_version: 'AZURE_API_VERSION',
      deployment_name: 'AZURE_DEPLOYMENT_NAME',
    },
  },
  baseUrlVariables: [],
  operations: ['chat/completions', 'embeddings'],
  target: deploymentOf,
  url: (endpoint, settings, upstreamModel, operation) =>
    urlBelow(
      endpoint,
      ['openai', 'deployments', deploymentOf(settings, upstreamModel), ...operation.split('/')],
      { 'api-version': apiVersionOf(settings) },
    ),
  headers: (apiKey) => ({ 'api-key': apiKey.expose() }),
  probe: (endpoint, settings) => ({
    method: 'GET',
    url: urlBelow(endpoint, ['openai', 'models'], { 'api-version': apiVersionOf(settings) }),
  }),
  isNetworkRuleRefusal: (message) => /virtual network|firewall/i.test(message),
});

/** Checked here too: global settings come from the environment and have seen no credential class. */
function deploymentOf(settings: Settings, upstreamModel: string): string {
  const { deployments } = settings;
  const hasOwn =
    typeof deployments === 'object' && deployments !== null && Object.hasOwn(deployments, upstreamModel);
  const name = hasOwn ? (deployments as Record<string, unknown>)[upstreamModel] : settings.deployment_name;
  if (typeof name === 'string' && deploymentPattern.test(name)) return name;
  throw new InvalidTarget(
    hasOwn ? 'deployments' : 'deployment_name',
    `A deployment name must be ${deploymentForm}.`,
  );
}

function apiVersionOf({ api_version: version }: Settings): string {
  if (typeof version === 'string' && apiVersionPattern.test(version)) return version;
  throw new InvalidTarget('api_version', `api_version must be ${apiVersionForm}.`);
}

function faultOfDeployments(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be an object: upstream model -> deployment name';
  }
  const entries = Object.entries(value);
  if (entries.length > 200) return 'must name at most 200 models';
  if (entries.some(([model]) => !/^[\x21-\x7e]{1,256}$/.test(model) || model === '__proto__')) {
    return 'must have model names of 1 to 256 printable ASCII characters';
  }
  if (entries.some(([, name]) => typeof name !== 'string' || !deploymentPattern.test(name))) {
    return `must have deployment names of ${deploymentForm}`;
  }
  return undefined;
}
