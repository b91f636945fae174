import { createRequire } from 'node:module';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentRoutes } from '#http';

const { version } = createRequire(__filename)('#package.json') as { version: string };

const description = `The vault and router for LLM credentials on platforms that serve many tenants.

1. **Authorize** (top right): \`super-api-key\` is INTRIC_SUPER_API_KEY, \`platform-key\` is PLATFORM_API_KEY; the first start wrote both to \`.env\`. \`tenant-key\` is a key that you create under *Keys*.
2. **Create a tenant** under *Tenants*.
3. **Set its credential** under *Credentials*: choose the example of the provider and put the key in.
4. **Call a model** under *Platform API*: with the platform key and the id of the tenant in X-Tenant-ID, or with a tenant key alone. The response header x-tenkey-credential names the credential that paid.

A stored key is never shown again, only its last four characters.`;

/** Name -> description, in the order in which the groups are shown. */
const tags = {
  Tenants: 'The organisations that own credentials and pay for their calls.',
  Credentials:
    'The key and settings of each tenant for each provider, and how to replace a key without an interruption.',
  Keys: 'Tenant keys open the Platform API for one tenant. Sysadmin keys open parts of the sysadmin API.',
  Audit: 'Who changed what, and which attempts were refused.',
  Readiness: 'What would happen to calls, without making one.',
  Encryption: 'The keys under which credentials are sealed, and the rotation to a new one.',
  Usage: 'Reports, the records of calls, receipts and metrics.',
  'Platform API': "Calls to models in OpenAI's and Anthropic's formats, with the credential of one tenant.",
  Health: 'For load balancers and orchestrators. No key is needed.',
};

/**
 * The OpenAPI document. The name of a controller's method is the id of its operation.
 * @param publicUrl by default relative to the document, which is one level below the root of the service
 */
export function createDocument(app: NestFastifyApplication, publicUrl = '..'): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Tenkey')
    .setDescription(description)
    .setVersion(version)
    .addServer(publicUrl, 'This service')
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description:
          'INTRIC_SUPER_API_KEY, for every route of the sysadmin API. A sysadmin key, created under *Keys*, opens the routes of its scopes. The console exchanges either for a session, with a cookie.',
      },
      'super-api-key',
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description:
          'INTRIC_SUPER_API_KEY or a sysadmin key, for the metrics alone, because many releases of Prometheus can send no other header.',
      },
      'sysadmin-bearer',
    )
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'PLATFORM_API_KEY, for the *Platform API* on behalf of the tenant in X-Tenant-ID.',
      },
      'platform-key',
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'tk_...',
        description:
          "A tenant key, for the *Platform API* on behalf of its own tenant. Anthropic's clients send it in X-API-Key, and Azure's in api-key.",
      },
      'tenant-key',
    );
  for (const [name, text] of Object.entries(tags)) builder.addTag(name, text);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  for (const schema of Object.values(document.components?.schemas ?? {})) {
    // Nest describes a named list of values with the text of the first field that has it.
    if ('enum' in schema) delete schema.description;
  }
  simplify(document);
  documentRoutes(document);
  return document;
}

/** Makes schemas exact: all numbers of this API are integers, and OpenAPI 3.1 allows a description next to a reference. */
function simplify(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as { type?: unknown; allOf?: unknown };
  if (schema.type === 'number') schema.type = 'integer';
  if (Array.isArray(schema.type)) {
    schema.type = schema.type.map((each: unknown) => (each === 'number' ? 'integer' : each));
  }
  if (Array.isArray(schema.allOf) && schema.allOf.length === 1) {
    Object.assign(schema, schema.allOf[0]);
    delete schema.allOf;
  }
  Object.values(node).forEach(simplify);
}
