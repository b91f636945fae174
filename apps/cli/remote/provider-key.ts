import { Option } from 'commander';
import { asked, Refusal } from '../command-line';
import { type Settings } from '../settings';
import { textOfFile } from '../files';

export interface ProviderKeyOptions {
  readonly apiKeyFile?: string;
  readonly apiKeyEnv?: string;
  readonly apiKeyStdin?: boolean;
}

/** There is no option for the key itself: every user of the machine can read the arguments of a process. */
export const providerKeyOptions = () => [
  new Option('--api-key-file <path>', "a file with the provider's API key").conflicts([
    'apiKeyEnv',
    'apiKeyStdin',
  ]),
  new Option('--api-key-env <name>', 'an environment variable with it').conflicts('apiKeyStdin'),
  new Option('--api-key-stdin', 'read it from standard input'),
];

/** @throws Refusal without a key, Error for a file that cannot be read */
export async function providerKey(
  settings: Settings,
  { apiKeyFile, apiKeyEnv, apiKeyStdin = false }: ProviderKeyOptions,
): Promise<string> {
  if (apiKeyFile !== undefined) return textOfFile(apiKeyFile, '--api-key-file');
  if (apiKeyEnv !== undefined) {
    const key = settings.variable(apiKeyEnv);
    if (key !== undefined) return key;
    throw new Refusal('--api-key-env must be the name of an environment variable that is set');
  }
  // What is typed into standard input would be shown; the question below hides it.
  if (apiKeyStdin && !process.stdin.isTTY) return textFromStdin();
  const key = await asked('API key (it is not shown): ', true);
  if (key) return key;
  throw new Refusal(
    key === undefined
      ? 'there is no key. Give it with --api-key-file, --api-key-env or --api-key-stdin, or answer the question on a terminal'
      : 'nothing was entered',
  );
}

/** What is piped into the command, up to a size that no key and no receipt has. */
export async function textFromStdin(): Promise<string> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += part;
    if (text.length > 64 * 1024) throw new Refusal('standard input has more than a key or a receipt');
  }
  return text.trim();
}
