import { type Type } from '@nestjs/common';
import { IntersectionType, OmitType } from '@nestjs/swagger';
import { OptionalEndpoint } from './credential-fields';
import { azure } from './definitions/azure';
import { openaiCompatible } from './definitions/openai_compatible';
import { vllm } from './definitions/vllm';
import { type DeclarableKind, defineProvider, type Provider } from './provider';
import { fixedProviders } from './registry';

/** A provider that a catalogue declares. */
interface Declaration {
  readonly id: string;
  readonly kind: DeclarableKind;
  /** Name for people. */
  readonly label: string;
  /** The operator's address of the server. Absent: each credential has an endpoint, unless the kind has another address. */
  readonly endpoint?: string;
}

const kinds: Readonly<Record<DeclarableKind, Provider>> = {
  openai_compatible: openaiCompatible,
  vllm,
  azure,
};

/** The kinds' credential classes for a declaration with an endpoint. Made once, because class-validator keeps every class. */
const withOptionalEndpoint: Readonly<Record<DeclarableKind, new () => object>> = {
  openai_compatible: optionalEndpointOf(openaiCompatible),
  vllm: optionalEndpointOf(vllm),
  azure: optionalEndpointOf(azure),
};

const taken = new Set(fixedProviders.flatMap(({ id, prefixes }) => [id, ...prefixes]));

/** Whether an id or a prefix of a fixed provider has this name. */
export function isTakenId(id: string): boolean {
  return taken.has(id);
}

/** What is wrong with the form of an id, as the rest of a sentence; undefined if nothing is. */
export function faultOfProviderId(id: unknown): string | undefined {
  if (typeof id === 'string' && id.length <= 40 && /^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/.test(id))
    return undefined;
  return 'must be at most 40 lower-case letters and digits, with single underscores or hyphens between them, and begin with a letter';
}

/**
 * A provider of one of the kinds. Its own id gives it its own credentials. Its global variables begin with that id in upper
 * case: `GDM_API_KEY`, `GDM_BASE_URL`, or for the kind azure `GDM_ENDPOINT` and Azure's other variables.
 */
export function declaredProvider({ id, kind, label, endpoint }: Declaration): Provider {
  const { globalVariables, example, ...rest } = kinds[kind];
  const variable = (suffix: string) => `${id}_${suffix}`.toUpperCase().replaceAll('-', '_');
  const settings = Object.keys(globalVariables.settings).map((field) => [field, variable(field)] as const);
  const hasEndpointVariable = settings.some(([field]) => field === 'endpoint');
  const hasEndpoint = endpoint !== undefined;
  const isOmitted = (field: string) => hasEndpoint && field === 'endpoint';
  return defineProvider({
    ...rest,
    id,
    label,
    kind,
    prefixes: [],
    declarablePrefixes: [],
    families: [],
    isDefault: false,
    credentialClass: hasEndpoint ? withOptionalEndpoint[kind] : rest.credentialClass,
    fields: rest.fields.map((field) => (isOmitted(field.name) ? { ...field, required: false } : field)),
    example: Object.fromEntries(Object.entries(example).filter(([field]) => !isOmitted(field))),
    globalVariables: { apiKey: variable('api_key'), settings: Object.fromEntries(settings) },
    baseUrlVariables: hasEndpointVariable ? [] : [variable('base_url')],
    defaultEndpoint: endpoint,
  });
}

function optionalEndpointOf({ credentialClass }: Provider): new () => object {
  const others = OmitType(credentialClass as Type<{ endpoint?: unknown }>, ['endpoint']);
  return IntersectionType(others as Type<object>, OptionalEndpoint);
}
