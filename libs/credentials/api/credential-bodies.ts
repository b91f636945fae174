import { type Type } from '@nestjs/common';
import { ApiSchema, getSchemaPath, IntersectionType } from '@nestjs/swagger';
import { fixedProviders, type Provider } from '#providers';
import { CredentialExtras } from './credentials.dto';

/** The body of a PUT for each provider, for the OpenAPI document: its own fields, and those of every credential. */
export const credentialBodies: readonly Type[] = fixedProviders.map(bodyOf);

/** Several providers have the same fields, so a body may fit more than one of these. */
export const credentialBody = {
  anyOf: credentialBodies.map((type) => ({ $ref: getSchemaPath(type) })),
};

/** The class `OpenaiCompatibleCredential` for `openai_compatible`. */
function bodyOf({ id, label, credentialClass }: Provider): Type {
  const words = id.split('_').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  const body = IntersectionType(credentialClass as Type, CredentialExtras);
  ApiSchema({ name: `${words.join('')}Credential`, description: `${label}: the fields of a credential.` })(
    body,
  );
  return body;
}
