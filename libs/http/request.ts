import { type Problem } from './problem';

/** What Tenkey notes on a request for its one log line. Holds ids and masks, never a key. */
declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant a platform call is for, once authenticated. */
    tenantId?: string;
    problem?: Problem;
    logFields?: Readonly<Record<string, unknown>>;
  }
}
