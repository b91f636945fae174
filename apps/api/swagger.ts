import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

const description = `The vault and router for LLM credentials on platforms that serve many tenants.

1. **Authorize** (top right): \`super-api-key\` is INTRIC_SUPER_API_KEY, \`platform-key\` is PLATFORM_API_KEY; at a first start both were written to \`.env\`. \`tenant-key\` is a key that you make under *Keys*.
2. **Create a tenant** under *Tenants*.
3. **Set its credential** under *Credentials*: pick the provider's example, put in the key.
4. **Call a model** under *Platform API* with the tenant's id in X-Tenant-ID, or with a key of the tenant and without it. The answer's x-tenkey-credential header says whose key paid.

A key that was stored is never shown again, only its last four characters.`;

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
          'INTRIC_SUPER_API_KEY, for all that a sysadmin does. A sysadmin key made under *Keys* opens the routes of its scopes.',
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
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'tk_...',
        description:
          "A tenant key, for the *Platform API* of its tenant alone. Anthropic's clients send it in X-API-Key.",
      },
      'tenant-key',
    );
  // Made when it is first asked for: no start waits for it.
  const document = () => SwaggerModule.createDocument(app, builder.build());
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Tenkey',
    swaggerOptions: { persistAuthorization: false, tagsSorter: 'alpha', tryItOutEnabled: true },
  });
}
