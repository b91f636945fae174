/**
 * The settings of the environment as one frozen, typed Config.
 *
 * Guarantees: one table describes every setting, and `.env.example` and docs/settings.md are printed from it; all faults are
 * reported at once, each with its fix and without its value; published example keys stop the start; in strict mode no global
 * provider key is read into any object; nothing else in the code reads process.env.
 * Does not: watch for changes, hold a tenant's credential, or decide whether an address may be called.
 */
export { isAddress, isAmong, networkOf, portOf } from './addresses/addresses';
export { type AllowRule, parseAllowList, ruleForm } from './addresses/allow-list';
export { type DatabaseAddress, parseDatabaseUrl, type SslMode } from './addresses/database-address';
export { isExempt } from './addresses/no-proxy';
export {
  type Address,
  type AddressRange,
  embeddedIPv4,
  isInRange,
  isLocalName,
  isMetadataAddress,
  isMetadataName,
  mayCarryIPv4,
  plainHost,
} from './addresses/metadata-addresses';
export { type Config, loadConfig, loadEncryptionKeys, type Mode, modes } from './config';
export { type ConfigFactory, configFrom, ConfigModule, InjectConfig } from './config.module';
export { type EgressProxies, type EgressProxy } from './egress-proxies';
export {
  ConfigError,
  type Environment,
  type ExposedFile,
  exposedFiles,
  generateEnvFile,
  isOwnSecret,
  readEnvironment,
} from './environment';
export { type GlobalCredential } from './global-credentials';
export { takenVariableOf, variablesOf } from './settings/provider-settings';
export { type LogLevel } from './settings/service-settings';
