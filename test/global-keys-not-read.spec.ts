import { configFrom } from '#config';
import { createLog } from '#log';
import { ModelCatalogue } from '#model-routing';
import { fixedProviders } from '#providers';
import { createApp } from '../apps/api/create-app';
import { usualModels } from './support/app';
import { createTestDatabase } from './support/postgres';
import { startProviderServer } from './support/provider-server';
import { leaksIn, sentinels } from './support/sentinels';

describe('in strict mode', () => {
  it('no provider’s global variable is read, neither at the start nor for a call', async () => {
    const names = fixedProviders.flatMap(({ globalVariables }) => [
      globalVariables.apiKey,
      ...Object.values(globalVariables.settings),
    ]);
    expect(names).toEqual(expect.arrayContaining(['OPENAI_API_KEY', 'AZURE_API_KEY', 'AZURE_ENDPOINT']));
    const provider = await startProviderServer();
    const database = await createTestDatabase();
    const values: Record<string, string | undefined> = {
      DATABASE_URL: database.url,
      INTRIC_SUPER_API_KEY: sentinels.super,
      PLATFORM_API_KEY: sentinels.platform,
      ENCRYPTION_KEY: sentinels.encryption,
      OPENAI_BASE_URL: `${provider.url}/v1`,
      MISTRAL_BASE_URL: `${provider.url}/v1`,
    };
    const read: string[] = [];
    const env = new Proxy(values, {
      get: (target, name: string) => {
        read.push(name);
        if (names.includes(name)) throw new Error(`${name} was read`);
        return target[name];
      },
      has: (target, name: string) => names.includes(name) || name in target,
      ownKeys: () => {
        throw new Error('the environment was copied');
      },
      getOwnPropertyDescriptor: () => {
        throw new Error('the environment was copied');
      },
    });
    const configFactory = configFrom(env);
    const config = configFactory();
    expect([...config.globalVariablesPresent(fixedProviders)].sort()).toEqual([...names].sort());
    const lines: string[] = [];
    const app = await createApp({
      configFactory,
      databaseUrl: database.url,
      catalogue: ModelCatalogue.parse(usualModels, 'models.yml'),
      log: createLog('trace', config.secrets, { write: (line) => void lines.push(line) }),
      ownPort: () => undefined,
    });
    try {
      await app.listen(0, '127.0.0.1');
      const base = `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
      const ask = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
        const answer = await fetch(base + path, {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          ...(body && { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        return { status: answer.status, body: JSON.parse(text) as Record<string, any> };
      };
      const admin = { 'x-api-key': sentinels.super };
      const { body: tenant } = await ask('POST', '/api/v1/sysadmin/tenants', admin, { name: 'poisoned' });
      const caller = { 'x-api-key': sentinels.platform, 'x-tenant-id': String(tenant.id) };
      const chat = (model: string) =>
        ask('POST', '/v1/chat/completions', caller, {
          model,
          messages: [{ role: 'user', content: 'hello' }],
        });
      const { body: list } = await ask('GET', '/v1/models', caller);
      for (const { id } of list.data as { id: string }[]) {
        expect([400, 424]).toContain((await chat(id)).status);
      }
      expect(provider.requests).toHaveLength(0);
      const set = await ask('PUT', `/api/v1/sysadmin/tenants/${tenant.id}/credentials/openai`, admin, {
        api_key: sentinels.openai,
      });
      expect(set.status).toBe(200);
      expect((await chat('gpt-4o')).status).toBe(200);
      expect((await chat('mistral-large')).body.error.code).toBe('credential_not_configured');
      expect((await chat('gpt-4o-legacy')).body.error.code).toBe('legacy_model_in_strict_mode');
      expect(provider.requests.map(({ key }) => key === sentinels.openai)).toEqual([true]);
      expect(read).toContain('ENCRYPTION_KEY');
      expect(read.filter((name) => names.includes(name))).toEqual([]);
      expect(lines.flatMap(leaksIn)).toEqual([]);
    } finally {
      await app.close();
      await provider.close();
      await database.drop();
    }
  });
});
