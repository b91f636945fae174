import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { Secret } from '#crypto';
import { type Provider, type Settings } from '#providers';

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
    if (value !== undefined) settings[field] = value;
  }
  return Object.freeze({
    apiKey: new Secret(apiKey),
    settings: Object.freeze(settings),
    faults: faultsOf(provider, { api_key: apiKey, ...settings }),
  });
}

/** A field that is not set has no fault here: the first call of a model that needs it reports it. */
function faultsOf({ credentialClass, globalVariables }: Provider, fields: Settings): Map<string, string> {
  const errors = validateSync(plainToInstance(credentialClass, fields), {
    validationError: { target: false, value: false },
  });
  return new Map(
    errors
      .filter(({ property }) => property in fields)
      .map(({ property, constraints = {} }) => {
        const variable =
          property === 'api_key' ? globalVariables.apiKey : (globalVariables.settings[property] ?? property);
        const rules = Object.values(constraints).map((message) => message.replace(`${property} `, ''));
        return [property, `${variable} ${rules.join(' and ')}.`] as const;
      }),
  );
}
