import { basename } from 'node:path';
import { stringify } from 'yaml';
import { type Environment } from '#config';
import { removeKeyShapes } from '#crypto';
import { CatalogueError, type Finding, type ModelKind, modelKinds } from '#model-routing';
import { readConfig, type Report } from './config';
import { planModels } from './models';
import { type Declaration, type PlannedCredential } from './provider-plan';
import { reportSettings } from './settings';
import { Variables } from './variables';

/** What a configuration of LiteLLM becomes. */
export interface Plan {
  /** The text of ai_models.yml; undefined when no model is carried over. */
  readonly catalogue?: string;
  readonly credentials: readonly PlannedCredential[];
  readonly findings: readonly Finding[];
  /** The files that were read, in their order. */
  readonly files: readonly string[];
}

/** Reads the configuration and decides what each part of it becomes. The same input always gives the same plan. */
export function planOf(file: string, environment: Environment, keepDuplicates: boolean): Plan {
  const findings: Finding[] = [];
  const report: Report = (severity, { file: of, line }, reason) =>
    void findings.push({ severity, file: of, line, reason: removeKeyShapes(reason) });
  try {
    const files = readConfig(file);
    const variables = new Variables(environment, files);
    const { models, providers } = planModels(files, variables, report, keepDuplicates);
    const { declarations, credentials } = providers;
    reportSettings(files, variables, report);
    for (const { providerId, key, place } of credentials) {
      if (key.fault !== undefined) report('fault', place, `no credential for ${providerId}: ${key.fault}`);
      if (key.warning !== undefined)
        report('warning', place, `the credential for ${providerId}: ${key.warning}`);
    }
    const catalogue = models.length > 0 ? textOf(file, models, declarations) : undefined;
    return { catalogue, credentials, findings, files: files.map((each) => each.file) };
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    return { credentials: [], findings: error.faults, files: [file] };
  }
}

function textOf(
  file: string,
  models: readonly { readonly kind: ModelKind; readonly fields: object }[],
  declarations: readonly Declaration[],
): string {
  const sections: Record<string, readonly object[]> = {};
  if (declarations.length > 0) sections.providers = declarations;
  for (const kind of modelKinds) {
    const ofKind = models.filter((model) => model.kind === kind).map(({ fields }) => fields);
    if (ofKind.length > 0) sections[`${kind}_models`] = ofKind;
  }
  const name = removeKeyShapes(basename(file)).replaceAll(/[^\w. -]/g, '_');
  return `# Imported from ${name} of LiteLLM. See docs/models.md.\n${stringify(sections, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
