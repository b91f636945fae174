import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { type Provider, type Settings } from '#providers';

/**
 * What is wrong with a global credential by the rules for a tenant's. What is not set is no fault: a model that needs it
 * says so.
 * @param fields of the credential, by their names in JSON
 * @returns field -> its variable and the rule
 */
export function globalFaults({ credentialClass, globalVariables }: Provider, fields: Settings) {
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
