import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithApp } from './support/app';
import { OpenApi } from './support/openapi';
import { registeredRoutes } from './support/routes';

/** What an operation can do; its id begins with one of these. */
const verbs =
  'cancel|count|create|delete|edit|explain|export|get|list|pause|promote|rerank|revoke|rollBack|set|start|update|verify';

/** Routes that serve something that another route documents. */
const otherForms = ['GET /v1/models/*'];

const packageJson = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
  version: string;
};

describeWithApp('in the OpenAPI document', (tenkey) => {
  let api: OpenApi;
  beforeAll(async () => {
    api = await OpenApi.of(tenkey);
  });

  /** The routes that do not keep a rule, so that a failure names them. */
  const breaking = (keeps: (route: OpenApi['routes'][number]) => boolean) =>
    api.routes.filter((route) => !keeps(route)).map(({ name }) => name);

  it('every route of the application is documented', () => {
    const registered = registeredRoutes(tenkey)
      .filter(([method, path]) => method !== 'HEAD' && !path.startsWith('/docs'))
      .map(([method, path]) => `${method} ${path}`)
      .filter((name) => !otherForms.includes(name))
      .map((name) => name.replaceAll(/:(\w+)/g, '{$1}'));
    expect(api.routes.map(({ name }) => name).sort()).toEqual(registered.sort());
  });

  it('every operation has a different id that reads like a method: a verb and what it is about', () => {
    const isMethod = new RegExp(`^(${verbs})([A-Z][a-z0-9]+)+$`);
    expect(breaking(({ operation }) => isMethod.test(operation.operationId))).toEqual([]);
    const ids = api.routes.map(({ operation }) => operation.operationId as string);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toContain('setCredential');
  });

  it('every operation has a short summary, and a description in whole sentences', () => {
    const isSummary = (text: unknown) => typeof text === 'string' && /^[A-Z].{3,58}[^.]$/.test(text);
    expect(breaking(({ operation }) => isSummary(operation.summary))).toEqual([]);
    const isDescription = (text: string | undefined) => text === undefined || /^[A-Z].*\.$/s.test(text);
    expect(breaking(({ operation }) => isDescription(operation.description))).toEqual([]);
  });

  it('every operation has one tag, and every tag is declared, described and used', () => {
    const { tags } = api.document as { tags: { name: string; description: string }[] };
    const names = tags.map(({ name }) => name);
    const isDeclared = (used: unknown) =>
      Array.isArray(used) && used.length === 1 && names.includes(used[0] as string);
    expect(breaking(({ operation }) => isDeclared(operation.tags))).toEqual([]);
    expect(new Set(api.routes.map(({ operation }) => operation.tags[0] as string))).toEqual(new Set(names));
    for (const tag of tags) {
      expect(tag).toEqual({
        name: expect.stringMatching(/^[A-Z]/),
        description: expect.stringMatching(/\.$/),
      });
    }
  });

  it('a route that needs no key says so, and every other route names its keys', () => {
    const open = api.routes.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ name }) => name)).toEqual(['GET /', 'GET /health', 'GET /ready']);
    expect(breaking(({ operation }) => Array.isArray(operation.security))).toEqual([]);
    const known = Object.keys(api.document.components.securitySchemes as object);
    const named = api.routes.flatMap(({ operation }) =>
      (operation.security as object[]).flatMap(Object.keys),
    );
    expect(new Set(named)).toEqual(new Set(known));
  });

  it('every error refers to the component of its format', () => {
    for (const { name, path, operation } of api.routes) {
      const component = path.includes('/v1/messages')
        ? 'AnthropicError'
        : path.startsWith('/api/')
          ? 'Problem'
          : 'OpenAiError';
      for (const [status, response] of Object.entries<any>(operation.responses)) {
        // A service that is not ready reports in the same form as one that is.
        if (Number(status) < 400 || name === 'GET /ready') continue;
        const schemas = Object.values<any>(response.content).map(({ schema }) => schema);
        expect([name, status, schemas]).toEqual([
          name,
          status,
          [{ $ref: `#/components/schemas/${component}` }],
        ]);
      }
    }
  });

  it('every reference leads to something, and every component is used', () => {
    const text = JSON.stringify(api.document);
    const references = [...text.matchAll(/"#\/(components\/[^"]+)"/g)].map((match) => match[1]!);
    for (const reference of references) expect(api.resolve({ $ref: `#/${reference}` })).toBeDefined();
    const { schemas, examples } = api.document.components as Record<string, object>;
    const declared = Object.entries({ schemas, examples }).flatMap(([kind, named]) =>
      Object.keys(named!).map((name) => `components/${kind}/${name}`),
    );
    expect(declared.filter((name) => !references.includes(name))).toEqual([]);
  });

  it('no schema that lists fields or values is written twice', () => {
    const places = new Map<string, string[]>();
    for (const [where, node] of api.objects()) {
      const isList = Array.isArray(node.enum) && node.enum.length > 1;
      const hasFields = node.type === 'object' && node.properties !== undefined;
      // Of the body of a call, only the names of its required fields are known.
      if ((!isList && !hasFields) || node.additionalProperties === true) continue;
      const { description: _, example: _example, default: _default, ...rest } = node;
      const key = JSON.stringify(rest);
      // Providers with the same fields have each a component, because a client names the provider.
      if (/^#\/components\/schemas\/\w+Credential$/.test(where)) continue;
      places.set(key, [...(places.get(key) ?? []), where]);
    }
    expect([...places.values()].filter((each) => each.length > 1)).toEqual([]);
  });

  it('a field that may be null has null among its types, and among its values if they are listed', () => {
    const schemas = api.objects().map(([, node]) => node);
    expect(schemas.filter((node) => 'nullable' in node)).toEqual([]);
    const nullable = schemas.filter(({ type }) => Array.isArray(type) && type.includes('null'));
    expect(nullable.length).toBeGreaterThan(20);
    for (const { enum: values } of nullable) if (values !== undefined) expect(values).toContain(null);
    // openapi-python-client makes three types of a list that contains null, and one of a reference to a list.
    expect(nullable.filter((node) => 'enum' in node)).toEqual([]);
  });

  it('no field of a request has a default, because generated clients then require it', () => {
    const bodies = Object.entries<any>(api.document.components.schemas).filter(([name]) =>
      /(Request|Credential)$/.test(name),
    );
    expect(bodies.length).toBeGreaterThan(20);
    const fields = bodies.flatMap(([name, { properties }]) =>
      Object.entries<any>(properties).map(([field, schema]) => [`${name}.${field}`, 'default' in schema]),
    );
    expect(fields.filter(([, hasDefault]) => hasDefault)).toEqual([]);
  });

  it('every example fits its schema', () => {
    let checked = 0;
    const faults: [string, string, string[]][] = [];
    const check = (where: string, name: string, value: unknown, schema: object) => {
      checked += 1;
      const found = api.faultsOf(value, schema);
      if (found.length > 0) faults.push([where, name, found]);
    };
    for (const [where, node] of api.objects()) {
      if (where.endsWith('/properties')) continue;
      if (node.schema && node.example !== undefined) check(where, 'example', node.example, node.schema);
      if (node.schema && node.examples !== undefined) {
        for (const [name, example] of Object.entries(node.examples)) {
          check(where, name, api.resolve(example).value, node.schema);
        }
      }
      const isSchema = 'type' in node || '$ref' in node || 'anyOf' in node;
      if (isSchema && 'example' in node) check(where, 'example', node.example, node);
    }
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(500);
  });

  it('the version is the release, and the address is relative to the document', () => {
    expect(api.document.info.version).toBe(packageJson.version);
    expect((api.document.servers as { url: string }[]).map(({ url }) => url)).toEqual(['..']);
    expect(new URL('..', 'https://host.example/tenkey/docs/openapi.json').pathname).toBe('/tenkey/');
  });

  it('nothing is left of what only the construction of the document needs', () => {
    const extensions = api
      .objects()
      .flatMap(([, node]) => Object.keys(node).filter((key) => /^x-\w+-\w+$/.test(key)));
    expect(new Set(extensions.filter((name) => !/^x-tenkey-(?!audience)/.test(name)))).toEqual(new Set());
  });
});
