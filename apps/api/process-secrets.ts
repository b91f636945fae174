import { type Config } from '#config';
import { type Secret } from '#crypto';

/** The secrets of the process itself, which the log and error texts are searched for by value. */
export function processSecrets(config: Config): Secret[] {
  const { current, previous } = config.encryptionKeys;
  const keys = [...config.superApiKeys, ...config.platformApiKeys, ...previous];
  return [...keys, ...(current ? [current] : []), ...(config.databaseUrl ? [config.databaseUrl] : [])];
}
