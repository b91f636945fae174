import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import {
  ApiKeyAndEndpointFields,
  apiKeyField,
  MatchesForm,
  optionalEndpointField,
  Trimmed,
} from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

function AccountField(description: string, example: string): PropertyDecorator {
  return applyDecorators(
    MatchesForm(/^[A-Za-z0-9_.-]{1,128}$/, '1 to 128 letters, digits, dots, hyphens or underscores'),
    IsOptional(),
    Trimmed(),
    ApiPropertyOptional({ type: String, description, example, nullable: true }),
  );
}

class OpenAiFields extends ApiKeyAndEndpointFields {
  @AccountField('The organization that is billed, for a key that may use several.', 'org-4f1c0a7be2')
  organization?: string | null;

  @AccountField('The project that is billed, for a key that may use several.', 'proj_9d2e6b31')
  project?: string | null;
}

/** https://platform.openai.com/docs/api-reference; the headers of an account: /docs/api-reference/authentication */
export const openai = openAiCompatible({
  id: 'openai',
  label: 'OpenAI',
  prefixes: ['text-completion-openai'],
  families: ['openai'],
  isDefault: true,
  defaultEndpoint: 'https://api.openai.com/v1',
  credentialClass: OpenAiFields,
  fields: [
    apiKeyField,
    optionalEndpointField,
    { name: 'organization', label: 'Organization', required: false },
    { name: 'project', label: 'Project', required: false },
  ],
  example: { api_key: 'not-a-real-openai-key', endpoint: 'https://api.openai.com/v1' },
  apiKeyVariable: 'OPENAI_API_KEY',
  // The variables of OpenAI's own clients.
  settingHeaders: {
    organization: { header: 'openai-organization', variable: 'OPENAI_ORG_ID' },
    project: { header: 'openai-project', variable: 'OPENAI_PROJECT_ID' },
  },
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
    'moderations',
  ],
  usageOption: ['chat/completions', 'completions'],
  // Without openai-organization and openai-project, which only the credential sets: a client must not choose who pays within the account.
  passedRequestHeaders: ['openai-beta', 'x-client-request-id'],
  // A 403 may also say that the project or the organization may not use this model.
  isCredentialRefusal: (status, message) =>
    status === 401 || (status === 403 && !/\baccess to model|\borganization must be verified/i.test(message)),
  // https://platform.openai.com/docs/guides/error-codes: 401, "IP not authorized", for an address that is not on the allowlist.
  isNetworkRuleRefusal: (message) => /\bIP (is )?not authorized|\bIP allow-?list/i.test(message),
  baseUrlVariables: ['OPENAI_BASE_URL'],
});
