/**
 * The environment as one frozen, typed Config.
 *
 * Guarantees: all faults are reported at once, each with its fix and without its value; published example keys stop the
 * start; in strict mode no global provider key is read into any object. Does not: watch for changes, or hold a tenant's
 * credential. Nothing else in the code reads process.env.
 */
export { isAddress, isAmong } from './addresses/addresses';
export { ConfigError, loadConfig, type Config, type GlobalCredential, type LogLevel } from './config';
export { ConfigModule, InjectConfig } from './config.module';
export { generateEnvFile, readEnvironment, type Environment } from './environment';
