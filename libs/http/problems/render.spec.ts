import { Problem } from './problem';
import { renderLastEvent, renderProblem } from './render';

const problem = new Problem('upstream_unavailable', { detail: 'It broke.', hint: 'Ask again.' });
const at = (path: string, isTenant = false) => ({ path, requestId: 'r1', isTenant });

describe('a problem', () => {
  it('is RFC 9457 on the sysadmin API, and for paths outside of our prefixes', () => {
    for (const path of ['/api/v1/sysadmin/tenants', '/', '/v10', '/v1x/messages']) {
      expect(renderProblem(problem, at(path))).toMatchObject({
        contentType: expect.stringContaining('application/problem+json'),
        body: { code: 'upstream_unavailable', status: 502, detail: 'It broke.', hint: 'Ask again.' },
      });
    }
  });

  it("is OpenAI's error object on /v1", () => {
    for (const path of ['/v1', '/v1/chat/completions', '/v1/messagesx', '/v1/responses']) {
      expect(renderProblem(problem, at(path)).body).toEqual({
        error: {
          message: 'It broke. Ask again.',
          type: 'api_error',
          code: 'upstream_unavailable',
          param: null,
          tenkey_code: 'upstream_unavailable',
        },
      });
    }
  });

  it.each([
    ['unauthenticated', 'authentication_error'],
    ['tenant_suspended', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['payload_too_large', 'request_too_large'],
    ['upstream_rate_limited', 'rate_limit_error'],
    ['upstream_timeout', 'timeout_error'],
    ['internal_error', 'api_error'],
    ['credential_not_configured', 'invalid_request_error'],
  ] as const)("%s is Anthropic's %s on /v1/messages and below", (code, type) => {
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      expect(renderProblem(new Problem(code), at(path)).body).toMatchObject({
        type: 'error',
        error: { type, code },
        request_id: 'r1',
      });
    }
  });
});

describe('the last event of a failed stream', () => {
  const dataOf = (event: string) =>
    JSON.parse(/^data: (.*)\n\n$/m.exec(event)![1]!) as Record<string, unknown>;

  it("is what each API's clients raise an error for", () => {
    const chat = renderLastEvent(problem, at('/v1/chat/completions'));
    expect(chat).toMatch(/^data: /);
    expect(dataOf(chat)).toMatchObject({ error: { code: 'upstream_unavailable', type: 'api_error' } });
    const messages = renderLastEvent(problem, at('/v1/messages'));
    expect(messages).toMatch(/^event: error\n/);
    expect(dataOf(messages)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    const responses = renderLastEvent(problem, at('/v1/responses'));
    expect(responses).toMatch(/^event: error\n/);
    expect(dataOf(responses)).toMatchObject({
      type: 'error',
      code: 'upstream_unavailable',
      message: 'It broke. Ask again.',
      error: { type: 'api_error' },
    });
  });
});
