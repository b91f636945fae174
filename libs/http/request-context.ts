import { type PlatformGrant, type SysadminGrant } from './access/grants';
import { type Problem } from './problems/problem';

/** What Tenkey notes on a request, for the next to look at it and for its one log line. Holds ids and masks, never a key. */
declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant a platform call is for, once authenticated. */
    tenantId?: string;
    /** Where it comes from. */
    address?: string;
    /** Which key asks for a change, by kind and fingerprint; absent until one was accepted. */
    actor?: string;
    /** What the presented key opens, once it was found valid. */
    sysadminGrant?: SysadminGrant;
    platformGrant?: PlatformGrant;
    /** When that was found, by `performance.now()`. */
    grantedAt?: number;
    /** Asks for the key anew when that was long ago; throws as the guard of the platform API does. */
    stillGranted?: () => Promise<void>;
    /** Id of the issued key that asks; absent for the keys of the environment. */
    issuedKeyId?: string;
    /** The models that the presented key may call; absent: all. */
    allowedModels?: readonly string[];
    /** How many tokens the presented key may use in a minute; absent: no limit. */
    tokensPerMinute?: number;
    /** Aborted when the client leaves, or with a Problem as reason when a stop cannot wait any longer. */
    gone: AbortSignal;
    problem?: Problem;
    /** Told of the problem that the request is answered with, also when its client has left. */
    onProblem?: (problem: Problem) => void;
    /** Once the line is written: what is told of a problem that comes only then. */
    tellLate?: (problem: Problem) => void;
    logFields?: Readonly<Record<string, unknown>>;
  }
}
