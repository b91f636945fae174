import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { ModelRoutingService } from '#model-routing';
import { startTestApp, type TestApp } from './support/app';

@Injectable()
class ForeignService {
  constructor(readonly routing: ModelRoutingService) {}
}

@Module({ providers: [ForeignService], exports: [ForeignService] })
class ForeignModule {}

describe('another Nest module calls the router in process', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp({}, { imports: [ForeignModule] });
  });
  afterAll(() => test.close());

  it("injects the service, and the tenant's own key pays", async () => {
    const tenant = await test.createTenant();
    await test.setCredential(tenant, 'openai', { api_key: 'sk-in-process-key-p4q5' });
    const { routing } = test.app.get(ForeignService, { strict: false });
    const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'from inside' }] };
    const answer = await routing.call(tenant, 'chat/completions', Buffer.from(JSON.stringify(request)), {
      signal: new AbortController().signal,
    });
    let text = '';
    for await (const chunk of answer.body) text += String(chunk);
    expect(text).toContain('from inside');
    expect(answer.route.credential.mask).toBe('...p4q5');
    expect(test.provider.requests.at(-1)?.key).toBe('sk-in-process-key-p4q5');
  });
});
