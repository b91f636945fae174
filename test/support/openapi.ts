import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { type Response } from 'supertest';
import { type TestApp } from './app';

export type Operation = Record<string, any>;

export interface DocumentedRoute {
  /** `GET /v1/models`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The OpenAPI document of an application, with what tests ask about it. */
export class OpenApi {
  readonly routes: readonly DocumentedRoute[];
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv({ strict: false, allErrors: true });

  private constructor(readonly document: Record<string, any>) {
    this.routes = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        return { name: `${method.toUpperCase()} ${path}`, method, path, operation };
      }),
    );
    addFormats(this.#ajv);
    this.#ajv.addSchema(document, 'openapi.json');
  }

  static async of(tenkey: TestApp): Promise<OpenApi> {
    return new OpenApi((await tenkey.http().get('/docs/openapi.json')).body);
  }

  route(name: string): DocumentedRoute {
    const route = this.routes.find((each) => each.name === name);
    if (route === undefined) throw new Error(`${name} is not documented`);
    return route;
  }

  /** What a reference of the document leads to; anything else is returned as it is. */
  resolve(node: any): any {
    const path = typeof node?.$ref === 'string' ? (node.$ref as string).slice(2).split('/') : undefined;
    return path === undefined ? node : path.reduce((value: any, key) => value[key], this.document);
  }

  /** Where a value contradicts a schema of the document. Empty: it is valid. */
  faultsOf(value: unknown, schema: object): string[] {
    const absolute = JSON.stringify(schema).replaceAll('"#/', '"openapi.json#/');
    const validate = this.#validators.get(absolute) ?? this.#ajv.compile(JSON.parse(absolute) as object);
    this.#validators.set(absolute, validate);
    validate(value);
    return (validate.errors ?? []).map(
      ({ instancePath, message }: ErrorObject) => `${instancePath} ${message}`,
    );
  }

  /** Where a response contradicts what its route documents. */
  faultsOfAnswer(name: string, { status, type, body }: Response): string[] {
    const documented = this.route(name).operation.responses[status];
    if (documented === undefined) return [`${status} is not documented`];
    if (documented.content === undefined) return [];
    const { schema } = documented.content[type] ?? {};
    return schema === undefined ? [`${type} is not documented`] : this.faultsOf(body, schema as object);
  }

  /** Every object in the document, with where it is; not what is in examples. */
  objects(): [where: string, node: Record<string, any>][] {
    const found: [string, Record<string, any>][] = [];
    const visit = (node: unknown, where: string) => {
      if (typeof node !== 'object' || node === null) return;
      if (!Array.isArray(node)) found.push([where, node]);
      for (const [key, value] of Object.entries(node)) {
        const isExample = ['example', 'examples'].includes(key) && !where.endsWith('/properties');
        if (!isExample) visit(value, `${where}/${key}`);
      }
    };
    visit(this.document, '#');
    return found;
  }
}
