import type { OpenAPIObject } from '@nestjs/swagger';
import { type Browser, type Locator, type Page, type Response } from 'playwright-core';
import { platformKey, startTestApp, superKey, type TestApp } from '../support/app';
import { host, launchBrowser, startProxy } from './browser';

const tenants = '/api/v1/sysadmin/tenants';
const credentials = `${tenants}/{tenant_id}/credentials`;

/** The request of one Execute, its response, and what the page shows. */
interface Executed {
  readonly response: Response;
  readonly sentKey: string | undefined;
  readonly shown: string;
}

describe('Swagger UI in a browser', () => {
  let tenkey: TestApp;
  let browser: Browser;
  let page: Page;
  let origin: string;
  let tenantId: string;
  const requested: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    tenkey = await startTestApp();
    origin = `http://${host}:${(tenkey.nest.getHttpServer().address() as { port: number }).port}`;
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    page.setDefaultTimeout(20_000);
    page.on('request', (request) => requested.push(request.url()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(`${origin}/docs`);
    await page.locator('.opblock').first().waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await tenkey?.close();
  });

  /** The block of one operation, expanded. */
  async function unfolded(method: string, path: string, shown: Page = page): Promise<Locator> {
    const block = shown
      .locator(`.opblock-${method}`)
      .filter({ has: shown.locator(`.opblock-summary-path[data-path="${path}"]`) });
    if (!(await block.getAttribute('class'))?.split(' ').includes('is-open')) {
      await block.locator('.opblock-summary-control').dispatchEvent('click');
    }
    await block.locator('.execute').waitFor();
    return block;
  }

  /** A page that shows another document. */
  async function openDocument(document: object): Promise<Page> {
    const shown = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    shown.setDefaultTimeout(20_000);
    await shown.addInitScript((spec) => {
      let bundle: any;
      Object.defineProperty(globalThis, 'SwaggerUIBundle', {
        get: () => bundle,
        set: (real) =>
          (bundle = new Proxy(real, {
            apply: (target, self, [options]) => target.call(self, { ...options, spec }),
          })),
      });
    }, document);
    await shown.goto(`${origin}/docs`);
    await shown.locator('.opblock').first().waitFor();
    return shown;
  }

  const parameter = (block: Locator, name: string) =>
    block.locator(`tr[data-param-name="${name}"]`).locator('input, select');

  async function execute(block: Locator): Promise<Executed> {
    const [response] = await Promise.all([
      page.waitForResponse((answer) => new URL(answer.url()).pathname.includes('/v1/')),
      block.locator('.execute').click(),
    ]);
    const live = block.locator('.live-responses-table');
    await live
      .locator('.response-col_status', { hasText: String(response.status()) })
      .first()
      .waitFor();
    return {
      response,
      sentKey: response.request().headers()['x-api-key'],
      shown: await live.locator('.response').innerText(),
    };
  }

  it('accepts both keys', async () => {
    await page.locator('.auth-wrapper .authorize').first().click();
    for (const [name, key] of [
      ['super-api-key', superKey],
      ['platform-key', platformKey],
    ] as const) {
      const form = page.locator('.auth-container').filter({ hasText: name });
      await form.locator('input').fill(key);
      await form.getByRole('button', { name: 'Apply credentials' }).click();
      await form.getByText('Logout').waitFor();
    }
    await page.locator('.close-modal').click();
    const { paths } = (await tenkey.http().get('/docs/openapi.json')).body as OpenAPIObject;
    const guarded = Object.values(paths)
      .flatMap((item) => Object.values(item as Record<string, { security: unknown[] }>))
      .filter(({ security }) => security.length > 0);
    expect(await page.locator('.opblock .authorization__btn .locked').count()).toBe(guarded.length);
  });

  it('creates a tenant from the prefilled body', async () => {
    const { response, sentKey } = await execute(await unfolded('post', tenants));
    expect([response.status(), sentKey]).toEqual([201, superKey]);
    const created = await response.json();
    expect(created.name).toBe('sundsvall');
    tenantId = created.id;
  });

  it('sets an Azure credential from its example and shows the mask', async () => {
    const block = await unfolded('put', `${credentials}/{provider}`);
    await parameter(block, 'tenant_id').fill(tenantId);
    await parameter(block, 'provider').fill('azure');
    await block.locator('.examples-select-element').first().selectOption({ label: 'Azure OpenAI' });
    const body = block.locator('.body-param__text');
    expect(JSON.parse(await body.inputValue())).toMatchObject({ deployment_name: 'gpt-4o-sweden' });
    const { response, sentKey, shown } = await execute(block);
    expect([response.status(), sentKey]).toEqual([200, superKey]);
    expect(shown).toContain('"masked_key": "...-key"');
    expect(shown).not.toContain('not-a-real-azure-key');
  });

  it('lists the credential, masked', async () => {
    const block = await unfolded('get', credentials);
    await parameter(block, 'tenant_id').fill(tenantId);
    const { response, shown } = await execute(block);
    expect(response.status()).toBe(200);
    expect(shown).toContain('"provider": "azure"');
    expect(shown).toContain('"masked_key": "...-key"');
    expect(shown).not.toContain('not-a-real-azure-key');
  });

  it('calls a model with the platform key and shows whose key paid', async () => {
    await tenkey.setCredential(tenantId, 'openai', { api_key: 'sk-key-of-sundsvall-xyz9' });
    const block = await unfolded('post', '/v1/chat/completions');
    await parameter(block, 'X-Tenant-ID').fill(tenantId);
    const { response, sentKey, shown } = await execute(block);
    expect([response.status(), sentKey]).toEqual([200, platformKey]);
    expect(shown).toMatch(/x-tenkey-credential: openai\/\.\.\.xyz9\//);
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-key-of-sundsvall-xyz9');
  });

  it('sends a file from the form of a transcription', async () => {
    const block = await unfolded('post', '/v1/audio/transcriptions');
    await parameter(block, 'X-Tenant-ID').fill(tenantId);
    await block.locator('.opblock-section-request-body input[type="file"]').setInputFiles({
      name: 'hello.wav',
      mimeType: 'audio/wav',
      buffer: Buffer.from('RIFF of nine'),
    });
    const { response, sentKey, shown } = await execute(block);
    expect([response.status(), sentKey]).toEqual([200, platformKey]);
    expect(shown).toContain('heard 12 bytes');
    expect(tenkey.provider.requests.at(-1)?.form).toMatchObject({
      model: 'whisper-1',
      file: { name: 'hello.wav' },
    });
  });

  it('removes the credential', async () => {
    const block = await unfolded('delete', `${credentials}/{provider}`);
    await parameter(block, 'tenant_id').fill(tenantId);
    await parameter(block, 'provider').fill('azure');
    const { response, shown } = await execute(block);
    expect(response.status()).toBe(200);
    expect(shown).toContain('"deleted": true');
  });

  it('offers every route ready to try', async () => {
    const document = (await tenkey.http().get('/docs/openapi.json')).body as OpenAPIObject;
    const { paths } = document;
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      (['get', 'put', 'post', 'delete', 'patch'] as const).flatMap((method) => {
        const { tags, parameters = [], requestBody } = item[method] ?? {};
        const content = requestBody && 'content' in requestBody ? requestBody.content : undefined;
        return tags ? [{ path, method, tag: tags[0]!, parameters, types: Object.keys(content ?? {}) }] : [];
      }),
    );
    expect(await page.locator('.opblock').count()).toBe(routes.length);
    for (const tag of new Set(routes.map((route) => route.tag))) {
      const shown = await openDocument(groupOf(document, tag));
      const ofTag = routes.filter((route) => route.tag === tag);
      expect(await shown.locator('.opblock').count()).toBe(ofTag.length);
      for (const { path, method, parameters, types } of ofTag) {
        const block = await unfolded(method, path, shown);
        const fields = block.locator('tr[data-param-name]').locator('input, select');
        if (parameters.length > 0) await fields.nth(parameters.length - 1).waitFor();
        expect(await fields.count()).toBe(parameters.length);
        if (path.startsWith('/v1/')) expect(await parameter(block, 'X-Tenant-ID').count()).toBe(1);
        if (types.includes('application/json')) {
          expect(JSON.parse(await block.locator('.body-param__text').inputValue())).not.toEqual({});
        } else if (types.length > 0) {
          await block.locator('.opblock-section-request-body input[type="file"]').first().waitFor();
        } else {
          expect(await block.locator('.opblock-section-request-body').count()).toBe(0);
        }
        // Each click makes Swagger UI render all blocks that are expanded again.
        await block.locator('.opblock-summary-control').dispatchEvent('click');
      }
      await shown.close();
    }
  }, 600_000);

  it('shows the groups in the order of the document, each with its description', async () => {
    const { tags = [] } = (await tenkey.http().get('/docs/openapi.json')).body as OpenAPIObject;
    const shown = page.locator('.opblock-tag');
    expect(await shown.locator('a').allInnerTexts()).toEqual(tags.map(({ name }) => name));
    expect(await shown.locator('small').allInnerTexts()).toEqual(tags.map(({ description }) => description));
  });

  it('sends nothing to another host, and the browser reports no error', () => {
    const elsewhere = requested.filter((url) => !url.startsWith('data:') && new URL(url).origin !== origin);
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each(['/docs', '/docs/'])('works below the path prefix of a proxy, at %s', async (path) => {
    const proxy = await startProxy('/tenkey', () => Number(new URL(origin).port));
    try {
      await page.goto(`http://${host}:${proxy.port}/tenkey${path}`);
      await page.locator('.opblock').first().waitFor();
      const block = await unfolded('get', '/health');
      const [response] = await Promise.all([
        page.waitForResponse((answer) => answer.url().endsWith('/health')),
        block.locator('.execute').click(),
      ]);
      expect([response.status(), new URL(response.url()).pathname]).toEqual([200, '/tenkey/health']);
    } finally {
      proxy.close();
    }
  });
});

/**
 * The routes of one group, with the schemas that they use. At each click Swagger UI resolves its whole document again, which takes
 * two seconds with all groups.
 */
function groupOf(document: OpenAPIObject, tag: string): object {
  const paths = Object.fromEntries(
    Object.entries(document.paths).flatMap(([path, item]) => {
      const methods = Object.entries<any>(item).filter(([, { tags }]) => tags?.[0] === tag);
      return methods.length === 0 ? [] : [[path, Object.fromEntries(methods)]];
    }),
  );
  const all = document.components!.schemas!;
  const schemas = new Map<string, unknown>();
  const add = (from: unknown): void => {
    for (const [, name = ''] of JSON.stringify(from).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (schemas.has(name)) continue;
      schemas.set(name, all[name]);
      add(all[name]);
    }
  };
  add(paths);
  return { ...document, paths, components: { ...document.components, schemas: Object.fromEntries(schemas) } };
}
