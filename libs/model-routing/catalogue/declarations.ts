import { takenVariableOf, variablesOf } from '#config';
import {
  cutEndpoint,
  type DeclarableKind,
  declarableKinds,
  declaredProvider,
  faultOfEndpoint,
  faultOfProviderId,
  isTakenId,
  type Provider,
} from '#providers';
import { type CatalogueDocument } from './catalogue-document';
import { isRecord } from './catalogue-fields';
import { didYouMean, type Finding, printable } from './catalogue-finding';

const section = 'providers';
const fields = ['id', 'kind', 'label', 'endpoint'];
const maxLabelLength = 100;

type Add = (severity: Finding['severity'], line: number, reason: string) => void;
type Report = (severity: Finding['severity'], field: string, reason: string) => void;

/**
 * Reads the providers that a file declares. One with a fault counts as declared if its id can be read, so that the fault is not
 * reported again for each of its models.
 */
export function readDeclarations({ root, lineOf }: CatalogueDocument, add: Add): Provider[] {
  const list = isRecord(root) ? root[section] : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) {
    add('fault', lineOf([section]), `${section} must be a list of providers`);
    return [];
  }
  const declared = new Map<string, Provider>();
  /** Their variables. */
  const variables = new Set<string>();
  for (const [index, value] of list.entries()) {
    const line = (field?: string) => lineOf([section, index], field);
    const faultOfId = isRecord(value) ? faultOfProviderId(value.id) : undefined;
    if (!isRecord(value)) add('fault', line(), 'a provider must be a map of fields');
    else if (faultOfId !== undefined) add('fault', line('id'), `the id of a provider ${faultOfId}`);
    else {
      const id = value.id as string;
      const report: Report = (severity, field, reason) => add(severity, line(field), `${id}: ${reason}`);
      const provider = readDeclaration(id, value, report);
      checkId(provider, declared, variables, report);
      declared.set(id, provider);
      for (const name of variablesOf(provider)) variables.add(name);
    }
  }
  return [...declared.values()];
}

function readDeclaration(id: string, value: Readonly<Record<string, unknown>>, report: Report): Provider {
  // Null means an absent field, as in models.
  const { kind, label, endpoint } = Object.fromEntries(
    Object.entries(value).filter(([, content]) => content !== null),
  );
  if (!isKind(kind)) {
    const hint = typeof kind === 'string' ? didYouMean(kind, declarableKinds) : '';
    report('fault', 'kind', `kind must be one of ${declarableKinds.join(', ')}${hint}`);
  }
  if (label !== undefined && !isLabel(label)) {
    report('fault', 'label', `label must be a text of 1 to ${maxLabelLength} printable characters`);
  }
  const named = {
    id,
    kind: isKind(kind) ? kind : 'openai_compatible',
    label: isLabel(label) ? label : id,
  } as const;
  const pasted =
    typeof endpoint === 'string' ? cutEndpoint(endpoint, declaredProvider(named))?.endpoint : undefined;
  if (pasted !== undefined) {
    report('warning', 'endpoint', 'endpoint is the URL of a request; only its base URL is used');
  }
  const address = pasted ?? endpoint;
  const faultOfAddress = address === undefined ? undefined : faultOfEndpoint(address);
  if (faultOfAddress !== undefined) report('fault', 'endpoint', `endpoint ${faultOfAddress}`);
  for (const field of Object.keys(value).filter((each) => !fields.includes(each))) {
    report('warning', field, `unknown field ${printable(field)}${didYouMean(field, fields)}`);
  }
  return declaredProvider({
    ...named,
    ...(typeof address === 'string' && faultOfAddress === undefined && { endpoint: address }),
  });
}

function checkId(
  provider: Provider,
  declared: ReadonlyMap<string, Provider>,
  variables: ReadonlySet<string>,
  report: Report,
): void {
  const { id } = provider;
  if (isTakenId(id)) return report('fault', 'id', 'this id is taken by a provider that is built into Tenkey');
  if (declared.has(id)) return report('fault', 'id', 'this id is declared twice');
  const variable = takenVariableOf(provider, variables);
  if (variable !== undefined)
    report('fault', 'id', `this id is taken, because its variable ${variable} has another meaning`);
}

function isKind(kind: unknown): kind is DeclarableKind {
  return declarableKinds.some((each) => each === kind);
}

function isLabel(label: unknown): label is string {
  if (typeof label !== 'string' || label.length > maxLabelLength) return false;
  return label !== '' && printable(label).trim() === label;
}
