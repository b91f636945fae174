import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import {
  apiKeyField,
  ApiKeyFields,
  HasNoFault,
  IsEndpoint,
  MatchesForm,
  requiredEndpointField,
  Trimmed,
} from '../credential-fields';
import {
  type CalledModel,
  type ChosenTarget,
  defineProvider,
  type Provider,
  type Settings,
} from '../provider';
import { InvalidTarget, missingSegments, urlBelow } from '../target-url';

const deploymentPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const deploymentForm =
  '1 to 64 letters, digits, dots, hyphens or underscores, starting with a letter or digit';
const mapForm = 'must be an object: model -> deployment name';
const apiVersionPattern = /^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/;
const apiVersionForm = 'an API version such as 2024-10-21, 2025-04-01-preview, v1 or preview';

class AzureFields extends ApiKeyFields {
  @ApiProperty({
    type: String,
    description:
      'Address of the Azure resource (openai.azure.com, cognitiveservices.azure.com, services.ai.azure.com) or of a ' +
      'gateway in front of it. It may end with `/openai` or `/openai/v1`; the latter selects the v1 API.',
    example: 'https://my-resource.openai.azure.com',
  })
  @Trimmed()
  @IsEndpoint()
  endpoint: string;

  @ApiProperty({
    type: String,
    description: 'Azure API version: a dated one, or `v1` or `preview` for the v1 API.',
    example: '2024-10-21',
  })
  @Trimmed()
  @MatchesForm(apiVersionPattern, apiVersionForm)
  api_version: string;

  @ApiProperty({
    type: String,
    description: 'Deployment for each model for which neither `deployments` nor the model catalogue has one.',
    example: 'gpt-4o-sweden',
  })
  @Trimmed()
  @MatchesForm(deploymentPattern, deploymentForm)
  deployment_name: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string', pattern: deploymentPattern.source },
    maxProperties: 200,
    description:
      'Deployments for individual models: name in the catalogue, or upstream model -> deployment name. The name in the ' +
      'catalogue wins.',
    example: { 'gpt-4o-mini': 'gpt-4o-mini-sweden' },
    nullable: true,
  })
  @IsOptional()
  @HasNoFault('isDeployments', faultOfDeployments, {
    rule: `must map at most 200 models to deployment names, each of ${deploymentForm}`,
  })
  deployments?: Record<string, string> | null;
}

/**
 * Azure OpenAI. The dated API has the deployment in the path, except for /responses; the v1 API has it in the request's
 * `model`.
 * https://learn.microsoft.com/azure/ai-foundry/openai/reference and .../api-version-lifecycle
 */
export const azure = defineProvider({
  id: 'azure',
  label: 'Azure OpenAI',
  prefixes: ['azure_text'],
  families: ['azure'],
  isDefault: false,
  credentialClass: AzureFields,
  fields: [
    apiKeyField,
    requiredEndpointField,
    { name: 'api_version', label: 'API version', required: true },
    { name: 'deployment_name', label: 'Deployment', required: true },
    { name: 'deployments', label: 'Deployments of single models', required: false, isMap: true },
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
      deployments: 'AZURE_DEPLOYMENTS',
    },
  },
  baseUrlVariables: [],
  operations: [
    'chat/completions',
    'completions',
    'embeddings',
    'responses',
    'audio/transcriptions',
    'audio/translations',
    'audio/speech',
    'images/generations',
    'images/edits',
  ],
  differencesFor: (operation, settings) =>
    operation === 'chat/completions' && !isCurrent(settings) ? olderApi : undefined,
  hasUsageOption: (operation, settings, request) =>
    operation === 'chat/completions' && isCurrent(settings) && takesStreamOptions(request()),
  // The second header names the deployment that generates images for /responses.
  passedRequestHeaders: ['x-ms-client-request-id', 'x-ms-oai-image-generation-deployment'],
  modelHeaders: ['x-ms-oai-image-generation-deployment'],
  target: deploymentOf,
  url: (endpoint, settings, deployment, operation) => {
    const api = apiOf(endpoint, settings);
    const isInPath = !api.isV1 && operation !== 'responses';
    return below(endpoint, api, [...(isInPath ? ['deployments', deployment] : []), ...operation.split('/')]);
  },
  pastedUrl,
  headers: (apiKey) => ({ 'api-key': apiKey.expose() }),
  probe: (endpoint, settings) => ({
    method: 'GET',
    url: below(endpoint, apiOf(endpoint, settings), ['models']),
  }),
  // "Access denied due to Virtual Network/Firewall rules.", "Public access is disabled. Please configure private endpoint."
  isNetworkRuleRefusal: (message) =>
    /virtual network|firewall|public (network )?access is disabled|private endpoint/i.test(message),
});

/** The address of a request, as Azure's portal shows it: `/openai/deployments/{deployment}/chat/completions?api-version=...`. */
function pastedUrl(url: URL): ReturnType<NonNullable<Provider['pastedUrl']>> {
  const [, base, deployment] = /^(.*?)\/+openai\/+deployments\/+([^/]+)/.exec(url.pathname) ?? [];
  const version = url.searchParams.get('api-version') ?? '';
  if ([...url.searchParams.keys()].some((name) => name !== 'api-version')) return undefined;
  if (deployment === undefined && version === '') return undefined;
  return {
    path: base ?? url.pathname.replace(/\/models\/chat\/completions$/, ''),
    fields: {
      ...(version !== '' && { api_version: version }),
      ...(deployment !== undefined && { deployment_name: deployment }),
    },
  };
}

interface AzureApi {
  readonly isV1: boolean;
  readonly query: Readonly<Record<string, string>>;
}

function apiOf(endpoint: URL, settings: Settings): AzureApi {
  const version = apiVersionOf(settings);
  if (!isV1(version, endpoint)) return { isV1: false, query: { 'api-version': version } };
  return { isV1: true, query: version === 'preview' ? { 'api-version': version } : {} };
}

/** The version or the endpoint selects the v1 API: only that one is below /openai/v1. */
function isV1(version: string, endpoint: URL | undefined): boolean {
  const isV1Version = version === 'v1' || version === 'preview';
  return isV1Version || (endpoint !== undefined && missingSegments(endpoint, 'openai/v1').length === 0);
}

function below(endpoint: URL, api: AzureApi, segments: readonly string[]): URL {
  const base = missingSegments(endpoint, api.isV1 ? 'openai/v1' : 'openai');
  return urlBelow(endpoint, [...base, ...segments], api.query);
}

/** What the dated API refuses before 2024-09-01-preview. */
const olderApi = { renamed: { max_completion_tokens: 'max_tokens' }, unsupported: ['stream_options'] };

/**
 * Whether the API has `stream_options` and `max_completion_tokens`: the v1 API does, and the dated one since 2024-09-01-preview
 * (api-version-lifecycle). Dates sort as text.
 */
function isCurrent(settings: Settings): boolean {
  const { endpoint } = settings;
  const version = apiVersionOf(settings);
  if (/^\d{4}-/.test(version) && version >= '2024-09-01') return true;
  const address = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  return isV1(version, address);
}

/**
 * Microsoft's client leaves out `stream_options` when a request has data sources or images, because the service may refuse
 * it there (Azure.AI.OpenAI, AzureChatClient.cs).
 */
function takesStreamOptions({ data_sources: sources, messages }: Readonly<Record<string, unknown>>): boolean {
  if (sources !== undefined) return false;
  const contents = Array.isArray(messages)
    ? messages.map((each: { content?: unknown } | null) => each?.content)
    : [];
  const parts = contents.filter(Array.isArray).flat() as ({ type?: unknown } | null)[];
  return !parts.some((part) => part?.type === 'image_url');
}

/**
 * The most specific rule decides. The name in the catalogue comes before the upstream model, because two models of the catalogue
 * may have the same upstream model.
 */
function deploymentOf(settings: Settings, model: CalledModel): ChosenTarget {
  const { deployments, deployment_name: usual } = settings;
  if (deployments !== undefined && (typeof deployments !== 'object' || deployments === null)) {
    throw new InvalidTarget('deployments', `deployments ${mapForm}.`);
  }
  for (const name of [model.name, model.upstreamModel]) {
    if (deployments !== undefined && Object.hasOwn(deployments, name)) {
      const target = validDeployment((deployments as Record<string, unknown>)[name], 'deployments');
      return { target, from: 'deployments' };
    }
  }
  if (model.deploymentName !== undefined) {
    const target = validDeployment(model.deploymentName, 'deployment_name of the model in ai_models.yml');
    return { target, from: 'catalogue' };
  }
  return { target: validDeployment(usual, 'deployment_name'), from: 'deployment_name' };
}

/** Checks the name again, because `AzureFields` validates neither global settings from the environment nor the catalogue. */
function validDeployment(name: unknown, setting: string): string {
  if (typeof name === 'string' && deploymentPattern.test(name)) return name;
  throw new InvalidTarget(setting, `A deployment name must be ${deploymentForm}.`);
}

function apiVersionOf({ api_version: version }: Settings): string {
  if (typeof version === 'string' && apiVersionPattern.test(version)) return version;
  throw new InvalidTarget('api_version', `api_version must be ${apiVersionForm}.`);
}

function faultOfDeployments(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return mapForm;
  }
  const entries = Object.entries(value);
  if (entries.length > 200) return 'must contain at most 200 models';
  if (entries.some(([model]) => !/^[\x21-\x7e]{1,256}$/.test(model) || model === '__proto__')) {
    return 'must have model names of 1 to 256 printable ASCII characters without spaces';
  }
  if (entries.some(([, name]) => typeof name !== 'string' || !deploymentPattern.test(name))) {
    return `must have deployment names of ${deploymentForm}`;
  }
  return undefined;
}
