import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { withAliases } from './documented-aliases';

const description = `The vault and router for LLM credentials on platforms that serve many tenants.

1. **Authorize** (top right): \`super-api-key\` is INTRIC_SUPER_API_KEY, \`platform-key\` is PLATFORM_API_KEY; the first start wrote both to \`.env\`. \`tenant-key\` is a key that you create under *Keys*.
2. **Create a tenant** under *Tenants*.
3. **Set its credential** under *Credentials*: choose the example of the provider and put the key in.
4. **Call a model** under *Platform API*: with the platform key and the id of the tenant in X-Tenant-ID, or with a tenant key alone. The response header x-tenkey-credential names the credential that paid.

A stored key is never shown again, only its last four characters.`;

/** Swagger UI at /docs and the document at /docs/openapi.json, from local files. */
export function addSwagger(app: NestFastifyApplication): void {
  const builder = new DocumentBuilder()
    .setTitle('Tenkey')
    .setDescription(description)
    .setVersion('1')
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description:
          'INTRIC_SUPER_API_KEY, for every route of the sysadmin API. A sysadmin key, created under *Keys*, opens the routes of its scopes.',
      },
      'super-api-key',
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
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'api-key',
        description: "A tenant key, as Azure's clients send it.",
      },
      'azure-key',
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'tk_...',
        description:
          "A tenant key, for the *Platform API* on behalf of its own tenant. Anthropic's clients send it in X-API-Key.",
      },
      'tenant-key',
    );
  // The document is created on the first request for it, so that a start does not wait for it.
  const document = () => withAliases(SwaggerModule.createDocument(app, builder.build()));
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Tenkey',
    swaggerOptions: { persistAuthorization: false, tagsSorter: 'alpha', tryItOutEnabled: true },
  });
}
