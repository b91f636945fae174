import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { Secret } from '#crypto';
import { contradictingFields, cutEndpoint, type Provider, type Settings } from '#providers';
import { isMap } from './settings/provider-settings';

/** The operator's own credential for one provider, as read from the environment. */
export interface GlobalCredential {
  readonly apiKey: Secret;
  readonly settings: Settings;
  /** Field of the credential -> the variable and the rule that it breaks, never the value. The rules are a tenant's. */
  readonly faults: ReadonlyMap<string, string>;
}

/** @param read returns the text of a variable, or undefined if it is not set */
export function readGlobalCredential(
  provider: Provider,
  read: (name: string) => string | undefined,
): GlobalCredential | undefined {
  const apiKey = read(provider.globalVariables.apiKey);
  if (apiKey === undefined) return undefined;
  const settings: Record<string, unknown> = {};
  for (const [field, name] of Object.entries(provider.globalVariables.settings)) {
    const value = read(name);
    if (value !== undefined) settings[field] = isMap(provider, field) ? mapOf(value) : value;
  }
  const pasted = typeof settings.endpoint === 'string' ? cutEndpoint(settings.endpoint, provider) : undefined;
  const contradicting = contradictingFields(pasted, settings);
  if (pasted) Object.assign(settings, { ...pasted.fields, ...settings, endpoint: pasted.endpoint });
  const faults = faultsOf(provider, { api_key: apiKey, ...settings });
  for (const field of contradicting) {
    const { [field]: variable = field, endpoint } = provider.globalVariables.settings;
    faults.set(field, `${variable} differs from what the URL in ${endpoint} says.`);
  }
  return Object.freeze({ apiKey: new Secret(apiKey), settings: Object.freeze(settings), faults });
}

/** The object that `gpt-5=first,gpt-5-mini=second` means; the text itself when it is not of that form, which no rule accepts. */
function mapOf(text: string): Record<string, string> | string {
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  const pairs = entries.map((entry) =>
    /^([^]*)=([^=]*)$/
      .exec(entry)
      ?.slice(1)
      .map((part) => part.trim()),
  );
  const names = new Set(pairs.map((pair) => pair?.[0] ?? ''));
  if (names.has('') || names.size < pairs.length) return text;
  return Object.fromEntries(pairs as [string, string][]);
}

/** A field that is not set has no fault here: the first call of a model that needs it reports it. */
function faultsOf(provider: Provider, fields: Settings): Map<string, string> {
  const { credentialClass, globalVariables } = provider;
  const errors = validateSync(plainToInstance(credentialClass, fields), {
    validationError: { target: false, value: false },
  });
  return new Map(
    errors
      .filter(({ property }) => property in fields)
      .map(({ property, constraints = {} }) => {
        const variable =
          property === 'api_key' ? globalVariables.apiKey : (globalVariables.settings[property] ?? property);
        const rules =
          isMap(provider, property) && typeof fields[property] === 'string'
            ? ['must be entries like `model=name`, comma-separated, with each model once']
            : Object.values(constraints).map((message) => message.replace(`${property} `, ''));
        return [property, `${variable} ${rules.join(' and ')}.`] as const;
      }),
  );
}
