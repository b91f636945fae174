import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { type Config } from '#config';
import { createDocument } from './openapi-document';

/** Swagger UI at /docs and the document at /docs/openapi.json, from local files. */
export function addSwagger(app: NestFastifyApplication, { publicUrl }: Pick<Config, 'publicUrl'>): void {
  // The document is created on the first request for it, so that a start does not wait for it.
  SwaggerModule.setup('docs', app, () => createDocument(app, publicUrl), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Tenkey',
    swaggerOptions: {
      persistAuthorization: false,
      tryItOutEnabled: true,
      // Swagger UI is slow with a long list of schemas, which each response shows anyway.
      defaultModelsExpandDepth: 0,
      plugins: [addressOfDocument],
    },
  });
}

/**
 * A plugin that tells Swagger UI the address of the document, which is part of its script: the address of the server is
 * relative to it. The page itself may be at /docs or /docs/, and below the path prefix of a proxy. Only the text of this
 * function reaches the browser.
 */
function addressOfDocument(): object {
  return {
    statePlugins: {
      spec: {
        wrapSelectors: {
          url: () => () => {
            const { document } = globalThis as unknown as {
              document: { querySelector(selector: string): { src: string } };
            };
            const { src } = document.querySelector('script[src$="swagger-ui-init.js"]');
            return new URL('openapi.json', src).href;
          },
        },
      },
    },
  };
}
