import { InvalidArgumentError, Option } from 'commander';
import { textOfFile } from '../files';
import { type Settings } from '../settings';

/** Where a command sends its requests, and the key that it sends. */
export interface Connection {
  /** The address of Tenkey, possibly with a path below which it is served. Ends with a slash. */
  readonly url: URL;
  readonly key: string;
  /** The option, file or variable that the key came from, for messages about a key that is refused. */
  readonly keySource: string;
  readonly timeoutMs: number;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly timeout: number;
}

const group = 'Connection:';

/** There is no option for the key itself: every user of the machine can read the arguments of a process. */
export function connectionOptions(): Option[] {
  return [
    new Option('--url <url>', 'the address of Tenkey').helpGroup(group),
    new Option('--key-file <path>', 'a file with a key of the sysadmin API').helpGroup(group),
    new Option('--timeout <seconds>', 'how long a request may take')
      .argParser(seconds)
      .default(60)
      .helpGroup(group),
  ];
}

export const connectionHelp = `
Without --url, the address is TENKEY_URL. Without --key-file, the key is in the file that TENKEY_KEY_FILE names, or it is
TENKEY_KEY. If neither an option nor a variable gives the address, the command speaks to the Tenkey of this folder: it
takes PORT and INTRIC_SUPER_API_KEY from the environment or .env, and sends that key to no other address.
If a private CA signed the certificate of Tenkey, set NODE_EXTRA_CA_CERTS to the file with the CA's certificate.`;

/** Node's fetch gives up after 300 seconds without a response, whatever limit it is given. */
function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 300) return value;
  throw new InvalidArgumentError('It must be a number of seconds, at most 300.');
}

/** @throws Error that names the option or variable at fault, without its value */
export async function connectionTo(
  settings: Settings,
  { url: option, keyFile, timeout }: ConnectionOptions,
): Promise<Connection> {
  const given = option ?? settings.variable('TENKEY_URL');
  const givenUrl =
    given === undefined ? undefined : urlOf(given, option === undefined ? 'TENKEY_URL' : '--url');
  const givenKey = keyOf(settings, keyFile);
  const timeoutMs = timeout * 1000;
  if (givenUrl && givenKey) return { url: givenUrl, ...givenKey, timeoutMs };
  const { port, superKey } = await settings.service();
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535;
  if (!givenUrl && !isPort) {
    throw new Error('PORT does not say where Tenkey listens. Give its address with --url or TENKEY_URL.');
  }
  const own = new URL(`http://127.0.0.1:${isPort ? port : 0}/`);
  const url = givenUrl ?? own;
  if (givenKey) return { url, ...givenKey, timeoutMs };
  // The super key of this folder opens only the Tenkey of this folder, and is sent to no other.
  if (url.href !== own.href) {
    throw new Error(
      'there is no key for this address. Name a file with one in --key-file or TENKEY_KEY_FILE, or set TENKEY_KEY.',
    );
  }
  if (superKey === undefined) {
    throw new Error(
      'there is no key. Name a file with one in --key-file or TENKEY_KEY_FILE, set TENKEY_KEY, or run the command in the folder of the service, whose .env has INTRIC_SUPER_API_KEY.',
    );
  }
  return { url, ...checked(superKey, 'INTRIC_SUPER_API_KEY'), timeoutMs };
}

function urlOf(text: string, source: string): URL {
  const fault = new Error(
    `${source} must be an http or https URL such as https://tenkey.example, without user, query and fragment`,
  );
  if (!URL.canParse(text)) throw fault;
  const url = new URL(text);
  const isPlain = [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (!/^https?:$/.test(url.protocol) || !isPlain) throw fault;
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function keyOf(
  settings: Settings,
  option: string | undefined,
): Pick<Connection, 'key' | 'keySource'> | undefined {
  if (option !== undefined) return checked(textOfFile(option, '--key-file'), 'the file of --key-file');
  const [file, key] = [settings.variable('TENKEY_KEY_FILE'), settings.variable('TENKEY_KEY')];
  if (file !== undefined && key !== undefined) {
    throw new Error('TENKEY_KEY and TENKEY_KEY_FILE are both set. Remove one.');
  }
  if (file !== undefined) {
    return checked(textOfFile(file, 'TENKEY_KEY_FILE'), 'the file that TENKEY_KEY_FILE names');
  }
  return key === undefined ? undefined : checked(key, 'TENKEY_KEY');
}

/** A key travels in a header, which refuses other characters with an error that contains them. */
function checked(key: string, keySource: string): Pick<Connection, 'key' | 'keySource'> {
  if (/^[\x21-\x7e]{1,4096}$/.test(key)) return { key, keySource };
  throw new Error(`${keySource} must have one key and nothing else`);
}
