import { type CredentialFields } from '#credentials';
import { checkCatalogueText, type Finding, type Model, ModelCatalogue } from '#model-routing';
import { type Provider } from '#providers';
import { fieldsOf } from '../tenant-credentials';
import { type Plan } from './litellm/plan';
import { type PlannedCredential } from './litellm/provider-plan';

/** A credential that a PUT would accept. */
export interface ImportedCredential {
  readonly provider: Provider;
  readonly fields: CredentialFields;
  readonly place: PlannedCredential['place'];
}

/** What a plan becomes. Without a catalogue nothing is written. */
export interface MadeImport {
  readonly catalogue?: string;
  readonly models: readonly Model[];
  readonly declared: readonly Provider[];
  readonly credentials: readonly ImportedCredential[];
  /** In the order of the files and lines; those of the catalogue last. */
  readonly findings: readonly Finding[];
}

/**
 * Checks the catalogue as `models check` does, and the credentials as a PUT does.
 * @param name the name of the catalogue in findings
 */
export function madeImport(plan: Plan, name: string): MadeImport {
  const { catalogue, credentials: planned, files } = plan;
  const findings = [...plan.findings];
  const none = { models: [], declared: [], credentials: [] };
  if (catalogue === undefined) return { ...none, findings: byLine(findings, files) };
  const check = checkCatalogueText(catalogue, name);
  const isFaulty = check.findings.some(({ severity }) => severity === 'fault');
  if (isFaulty) return { ...none, findings: [...byLine(findings, files), ...check.findings] };
  const { providers } = ModelCatalogue.parse(catalogue, name);
  const credentials: ImportedCredential[] = [];
  for (const { providerId, settings, key, place } of planned) {
    // The plan has reported a key that is missing.
    if (key.secret === undefined) continue;
    const provider = providers.find(providerId);
    if (provider === undefined) throw new Error(`the catalogue does not declare ${providerId}`);
    const valid = fieldsOf(providers, provider, { api_key: key.secret.expose(), ...settings });
    if ('fields' in valid) credentials.push({ provider, fields: valid.fields, place });
    else findings.push(faultAt(place, `no credential: ${valid.faults}`));
  }
  const all = [...byLine(findings, files), ...check.findings];
  return { catalogue, models: check.models, declared: providers.declared, credentials, findings: all };
}

export function faultAt({ file, line }: PlannedCredential['place'], reason: string): Finding {
  return { severity: 'fault', file, line, reason };
}

function byLine(findings: readonly Finding[], files: readonly string[]): Finding[] {
  return [...findings].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0),
  );
}
