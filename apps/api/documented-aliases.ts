import { type OpenAPIObject } from '@nestjs/swagger';
import { hooks } from '#http';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['post']>;
type Parameter = NonNullable<Operation['parameters']>[number];

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** How the operations of an alias are told from those of the route. */
const suffixes: Readonly<Record<string, string>> = {
  '/openai/deployments/:deployment': 'OfDeployment',
  '/openai/v1': 'OfAzure',
  '/openai': 'OfDatedAzure',
  '/v2': 'OfVersion2',
};

const deployment: Parameter = {
  name: 'deployment',
  in: 'path',
  required: true,
  description: "The model's `name` in ai_models.yml.",
  schema: { type: 'string', example: 'gpt-4o' },
};
const apiVersion: Parameter = {
  name: 'api-version',
  in: 'query',
  required: false,
  description: "Accepted because Azure's clients send it. It has no effect.",
  schema: { type: 'string', example: '2024-10-21' },
};

/** Adds the aliases of the routes to the document, which otherwise has only what the router knows. */
export function withAliases(document: OpenAPIObject): OpenAPIObject {
  const paths: Paths = { ...document.paths };
  for (const { prefix, paths: below } of hooks.aliases) {
    for (const [path, item] of Object.entries(document.paths)) {
      const rest = path.startsWith('/v1/') ? path.slice('/v1/'.length) : undefined;
      if (rest === undefined) continue;
      const isBelow = (each: string) => !prefix.includes(':') && rest.startsWith(`${each}/`);
      if (below?.every((each) => rest !== each && !isBelow(each)) === true) continue;
      const alias = { ...item };
      for (const method of methods) {
        const operation = item[method];
        if (operation) alias[method] = aliasOf(operation, path, prefix);
      }
      paths[`${prefix.replace(':deployment', '{deployment}')}/${rest}`] = alias;
    }
  }
  return { ...document, paths };
}

function aliasOf(operation: Operation, path: string, prefix: string): Operation {
  const { operationId, summary, parameters = [], security = [], requestBody } = operation;
  const isAzure = prefix.startsWith('/openai');
  const hasDeployment = prefix.includes(':deployment');
  const alias: Operation = {
    ...operation,
    tags: ['Aliases'],
    summary: `${summary} (${isAzure ? "Azure's form" : 'version 2'})`,
    description: `The same as ${path}.${hasDeployment ? ' The deployment in the path is the name of the model; the body needs no `model`, and one that it has is replaced.' : ''}`,
    parameters: [...parameters, ...(hasDeployment ? [deployment] : []), ...(isAzure ? [apiVersion] : [])],
  };
  if (operationId !== undefined) alias.operationId = operationId + (suffixes[prefix] ?? '');
  if (isAzure) alias.security = [...security, { 'azure-key': [] }];
  if (hasDeployment && requestBody && 'content' in requestBody) {
    const content = Object.entries(requestBody.content).map(([type, media]) => {
      if (media.schema === undefined || '$ref' in media.schema) return [type, media] as const;
      const required = media.schema.required?.filter((name) => name !== 'model');
      return [type, { ...media, schema: { ...media.schema, required } }] as const;
    });
    alias.requestBody = { ...requestBody, content: Object.fromEntries(content) };
  }
  return alias;
}
