import { type Config } from '#config';
import { type Secret } from '#crypto';

/** The secrets of the process itself. They are removed by value from the log and from error texts. */
export function processSecrets(config: Config): Secret[] {
  const { current, previous } = config.encryptionKeys;
  const keys = [...config.superApiKeys, ...config.platformApiKeys, ...previous];
  return [...keys, ...(current ? [current] : []), ...(config.databaseUrl ? [config.databaseUrl] : [])];
}
