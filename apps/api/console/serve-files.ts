import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { type FastifyInstance } from 'fastify';

/** Serves the scripts and styles of the console. Their names contain a hash of their content, so a browser may keep them for ever. */
export async function serveConsoleFiles(fastify: FastifyInstance, folder: string): Promise<void> {
  await fastify.register(fastifyStatic, {
    root: join(folder, 'files'),
    prefix: '/console/',
    // One route for each file, so that every other address is an unknown route.
    wildcard: false,
    index: false,
    decorateReply: false,
    preCompressed: true,
    immutable: true,
    maxAge: '365d',
    setHeaders: (response) => void response.header('x-content-type-options', 'nosniff'),
  });
}
