import { Command } from 'commander';
import { type Provider } from '#providers';
import { type Settings } from '../settings';

export function schemaCommand(settings: Settings): Command {
  return new Command('schema')
    .description(
      'Print the JSON schema of a tenants file, with the providers that the model catalogue declares. Editors complete and check the file with it.',
    )
    .addHelpText(
      'after',
      `
Example:
  npx tenkey schema > tenants.schema.json
and as the first line of tenants.yml:
  # yaml-language-server: $schema=tenants.schema.json`,
    )
    .action(async () => {
      const { ModelCatalogue, shippedModelsFile } = await import('#model-routing');
      const { providers } = ModelCatalogue.load((await settings.modelsFile()) ?? shippedModelsFile());
      process.stdout.write(`${JSON.stringify(tenantsSchema(providers.all), undefined, 2)}\n`);
    });
}

const text = (description: string, rest: object = {}) => ({ type: 'string', description, ...rest });
const time = (description: string) => ({ type: ['string', 'null'], description });
const limit = (description: string, maximum: number) => ({
  type: ['integer', 'null'],
  minimum: 1,
  maximum,
  description,
});
const closed = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

/** The JSON schema of a tenants file. It accepts what `readTenants` accepts, as far as a schema can say that. */
function tenantsSchema(providers: readonly Provider[]) {
  const tenant = closed(
    {
      id: text("The tenant's id, a UUID. Without it the tenant is found by its name.", { format: 'uuid' }),
      name: text('The unique short name.', { minLength: 1, maxLength: 200 }),
      display_name: { type: ['string', 'null'], maxLength: 500, description: 'The name for people.' },
      contact_email: {
        type: ['string', 'null'],
        maxLength: 254,
        description: "Where to send alerts about the tenant's credentials.",
      },
      state: { enum: ['active', 'suspended'], description: 'The calls of a suspended tenant are refused.' },
      expected_providers: {
        type: ['array', 'null'],
        uniqueItems: true,
        items: { enum: providers.map(({ id }) => id) },
        description: 'The providers that the tenant should have a credential for.',
      },
      allowed_hosting: {
        type: ['array', 'null'],
        uniqueItems: true,
        items: { type: 'string', minLength: 1, maxLength: 100 },
        description:
          'The values of `hosting` that a model may have to be called for the tenant. null: any. Absent: it stays as it is.',
      },
      allowed_providers: {
        type: ['array', 'null'],
        uniqueItems: true,
        items: { enum: providers.map(({ id }) => id) },
        description: 'The providers that may be called for the tenant. null: any. Absent: it stays as it is.',
      },
      egress_allow: {
        type: ['array', 'null'],
        uniqueItems: true,
        items: { type: 'string', maxLength: 300 },
        description:
          'Private addresses that its endpoints may have although EGRESS_PRIVATE=deny refuses them, such as 10.20.0.0/16:8000.',
      },
      credentials: {
        ...closed(Object.fromEntries(providers.map((provider) => [provider.id, credentialSchema(provider)]))),
        description: 'The credentials by provider. Each is described completely, but for its key.',
      },
      keys: {
        type: 'array',
        items: keySchema,
        description: "The keys of the tenant's applications. Each is described completely.",
      },
    },
    ['name'],
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tenkey tenants',
    ...closed({ tenants: { type: 'array', items: tenant } }, ['tenants']),
  };
}

const keySchema = closed(
  {
    id: text("The key's id. Without it the key is found by its name."),
    name: text('Whose key it is.', { minLength: 1, maxLength: 100 }),
    allowed_models: {
      type: ['array', 'null'],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 200 },
      description: 'The models that the key may call. Without it: all.',
    },
    requests_per_minute: limit('Requests in any 60 seconds. Without it: no limit.', 1_000_000),
    tokens_per_minute: limit('Tokens in any 60 seconds. Without it: no limit.', 1_000_000_000),
    expires_at: time('When the key expires. Without it: never.'),
  },
  ['name'],
);

function credentialSchema({ label, fields }: Provider) {
  const settings = fields.filter(({ name }) => name !== 'api_key');
  const properties = {
    api_key_env: text('The environment variable that holds the key.', {
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
    }),
    api_key_file: text('The file that holds the key, relative to this file.'),
    api_key: text('The key itself, only in a file that is encrypted with SOPS.'),
    ...Object.fromEntries(
      settings.map(({ name, isMap }) => [
        name,
        isMap === true
          ? { type: ['object', 'null'], additionalProperties: { type: 'string' } }
          : { type: ['string', 'null'] },
      ]),
    ),
    expires_at: time('When the key expires, according to the provider.'),
  };
  const required = settings.filter(({ required }) => required).map(({ name }) => name);
  const keys = ['api_key', 'api_key_env', 'api_key_file'].map((name) => ({ required: [name] }));
  const credential = { ...closed(properties, required), oneOf: [...keys, { not: { anyOf: keys } }] };
  const description = `The ${label} credential.`;
  return required.length > 0
    ? { ...credential, description }
    : { anyOf: [credential, { type: 'null' }], description };
}
