import { cpuTimeMs } from '../../../test/support/cpu-time';
import { aliasesOf, resolveAlias } from './aliases';

it.each([
  ['/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21', '/v1/chat/completions', 'gpt-4o'],
  ['//openai/deployments/gpt-4o/embeddings/', '/v1/embeddings/', 'gpt-4o'],
  ['/openai/deployments/a/b/c/audio/speech?x=1&API-Version=&y=2', '/v1/audio/speech?x=1&y=2', 'a/b/c'],
  ['/openai/deployments/a%2Fb%20c/completions', '/v1/completions', 'a/b c'],
  ['/openai/deployments/chat/chat/completions', '/v1/chat/completions', 'chat'],
  ['/openai/deployments/chat/completions/completions', '/v1/completions', 'chat/completions'],
  [
    '/openai/v1/responses/resp_1/input_items?limit=2&api-version=v1',
    '/v1/responses/resp_1/input_items?limit=2',
    undefined,
  ],
  ['/openai/responses/resp_1', '/v1/responses/resp_1', undefined],
  ['/openai/models/gpt%2F4?api-version=x', '/v1/models/gpt%2F4', undefined],
  ['/v2/rerank', '/v1/rerank', undefined],
])('%s is %s', (url, target, deployment) => {
  expect(resolveAlias(url)).toMatchObject({ url: target, deployment });
});

it.each([
  '/v1/chat/completions',
  '/openai',
  '/openai/files',
  '/openai/deployments',
  '/openai/deployments//chat/completions',
  '/openai/deployments/%zz/chat/completions',
  '/openai/deployments/x/messages',
  '/openaix/v1/chat/completions',
  '/x/openai/v1/chat/completions',
  '/v2/chat',
  '/v2/rerankers',
  'http://host/openai/v1/models',
])('%s is no alias', (url) => expect(resolveAlias(url)).toBeUndefined());

it.each([
  [
    '/v1/responses',
    ['/openai/deployments/{deployment}/responses', '/openai/v1/responses', '/openai/responses'],
  ],
  ['/v1/responses/{response_id}', ['/openai/v1/responses/{response_id}', '/openai/responses/{response_id}']],
  ['/v1/rerank', ['/openai/v1/rerank', '/v2/rerank']],
  ['/api/v1/sysadmin/tenants', []],
  ['/health', []],
])('the aliases of %s are %j', (path, expected) => expect(aliasesOf(path)).toEqual(expected));

it('a long address costs little', () => {
  const started = cpuTimeMs();
  for (let round = 0; round < 100; round += 1) resolveAlias(`/openai/deployments/${'chat/'.repeat(3000)}x`);
  expect(cpuTimeMs() - started).toBeLessThan(2000);
});
