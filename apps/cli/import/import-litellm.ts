import { Refusal } from '../command-line';
import { type Settings } from '../settings';
import { envTextOf } from './env-text';
import { type ImportOptions } from './import-options';
import { planOf } from './litellm/plan';
import { madeImport } from './made-import';
import { isWritten, type NewFile, writeNewFile } from '../files';
import { Report } from './report';
import { storeCredentials } from './store-credentials';

/**
 * Imports a configuration, and prints what it does.
 * @returns false if something was not carried over
 * @throws Refusal
 */
export async function importLitellm(
  settings: Settings,
  file: string,
  options: ImportOptions,
): Promise<boolean> {
  const { out, envOut, tenants, keepDuplicates = false, json = false } = options;
  const plan = planOf(file, await settings.variables(), keepDuplicates);
  const made = madeImport(plan, out ?? 'ai_models.yml');
  const { catalogue, credentials } = made;
  const env = envOut === undefined ? undefined : envTextOf(credentials);
  const keysTo = tenants ? 'tenants' : envOut === undefined ? undefined : 'env';
  const report = new Report(made, { file, json, isPrinted: out === undefined, keysTo });
  report.find(...made.findings, ...(env?.findings ?? []));
  if (catalogue === undefined) return report.end();
  const files: NewFile[] = [];
  if (out !== undefined) files.push({ path: out, text: catalogue, mode: 0o666 });
  if (envOut !== undefined && env?.text !== undefined)
    files.push({ path: envOut, text: env.text, mode: 0o600 });
  // All refusals come before the first change.
  files.forEach(isWritten);
  const write = () => {
    for (const each of files) report.file(each.path, writeNewFile(each));
  };
  if (tenants === undefined) write();
  else {
    const config = await settings.load();
    try {
      await storeCredentials(config, credentials, { ...options, tenants }, report, write);
    } catch (error) {
      // Some credentials may be stored already.
      if (!(error instanceof Refusal)) report.end();
      throw error;
    }
  }
  return report.end();
}
