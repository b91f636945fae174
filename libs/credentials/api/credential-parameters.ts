import { ApiParam } from '@nestjs/swagger';
import { Problem } from '#http';
import { fixedProviders } from '#providers';
import { type Slot } from '../credential';

/** Not an enum, because the catalogue may declare further ids and may change while Tenkey runs. */
export const providerParam = ApiParam({
  name: 'provider',
  schema: { type: 'string', pattern: '^[a-z][a-z0-9]*([_-][a-z0-9]+)*$', maxLength: 40 },
  example: 'openai',
  description: `${fixedProviders.map(({ id }) => `\`${id}\``).join(', ')}, or an id that the model catalogue declares under \`providers\`.`,
});

/**
 * The parameters of the query. An unknown name is refused, since a misspelt `slot` must not change another slot than the caller
 * meant.
 * @throws Problem validation_failed
 */
export function knownQuery<Name extends string>(
  query: unknown,
  names: readonly Name[],
): Readonly<Partial<Record<Name, unknown>>> {
  const parameters = query as Readonly<Partial<Record<Name, unknown>>>;
  if (Object.keys(parameters).every((name) => names.some((each) => each === name))) return parameters;
  const message =
    names.length > 0 ? `the query may contain only ${names.join(', ')}` : 'this route accepts no query';
  throw new Problem('validation_failed', {
    detail: 'The query has a parameter that this route does not know.',
    errors: [{ path: 'query', message }],
  });
}

/** A flag in the query; absent: false. */
export function validFlag(name: string, text: unknown): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw notValid(name, 'must be true or false');
}

/** `slot` in the query, undefined when absent. */
export function validSlot<S extends Slot>(text: unknown, allowed: readonly S[]): S | undefined {
  const slot = allowed.find((each) => each === text);
  if (text === undefined || slot !== undefined) return slot;
  throw notValid('slot', `must be one of ${allowed.join(', ')}`);
}

/** `version` in the query, undefined when absent. */
export function validVersion(text: unknown): string | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^[1-9]\d{0,18}$/.test(text)) return text;
  throw notValid('version', 'must be a version from the list of credentials');
}

function notValid(path: string, fault: string): Problem {
  const errors = [{ path, message: `${path} ${fault}` }];
  return new Problem('validation_failed', { detail: 'The query is not valid.', errors });
}
