import { parse } from 'dotenv';
import { type Finding } from '#model-routing';
import { faultAt, type ImportedCredential } from './made-import';

/** A credential as variables of `.env`, or the name of a variable whose value `.env` cannot hold. */
type EnvLines = { readonly lines: readonly string[] } | { readonly impossible: string };

/** Credentials as the text of a file with global variables, which can be used as `.env` or added to it. */
export function envTextOf(credentials: readonly ImportedCredential[]): {
  text?: string;
  findings: Finding[];
} {
  const findings: Finding[] = [];
  const lines = credentials.flatMap((credential) => {
    const env = envLinesOf(credential);
    if ('lines' in env) return env.lines;
    const { impossible: name } = env;
    const reason = `a line of .env cannot hold the value of ${name}; put it into a file that ${name}_FILE names`;
    findings.push(faultAt(credential.place, reason));
    return [];
  });
  if (lines.length === 0) return { findings };
  const comment =
    '# Global keys: all tenants use them in single-tenant mode, TENANT_CREDENTIALS_ENABLED=false.';
  return { text: `${[comment, ...lines].join('\n')}\n`, findings };
}

/** The global variables of a provider that hold this credential. */
function envLinesOf({ provider, fields: { apiKey, settings } }: ImportedCredential): EnvLines {
  const { globalVariables, baseUrlVariables } = provider;
  const values = Object.entries(settings).map(([field, value]) => {
    const name = globalVariables.settings[field] ?? (field === 'endpoint' ? baseUrlVariables[0] : undefined);
    if (name === undefined) throw new Error(`${provider.id} has no variable for ${field}`);
    return [name, String(value)] as const;
  });
  const lines: string[] = [];
  for (const [name, value] of [[globalVariables.apiKey, apiKey.expose()] as const, ...values]) {
    const line = ['', "'", '`', '"']
      .map((quote) => `${name}=${quote}${value}${quote}`)
      .find((each) => isReadBack(each, name, value));
    if (line === undefined) return { impossible: name };
    lines.push(line);
  }
  return { lines };
}

/** A # without quotes begins a comment in some readers of `.env`, and a $ is replaced by others. */
function isReadBack(line: string, name: string, value: string): boolean {
  if (line.startsWith(`${name}=${value}`) && !/^[\w.+=:/@%~,-]*$/.test(value)) return false;
  return parse(line)[name] === value;
}
