import fc from 'fast-check';
import { platformKey, superKey } from '../app';
import {
  json,
  marker,
  maxBodyBytes,
  sysadminRoot,
  asSysadmin,
  asPlatform,
  type Input,
  type Header,
  type Ingredients,
} from './ingredients';

/** Requests that are wrong before a route reads them: in type, size, target, headers or HTTP itself. */
export function requestInputs(tenant: string, given: Ingredients) {
  const { one, bodies, brokenJson, oddSegment, oddHeader, contentType } = given;

  const unread = fc.oneof(
    fc
      .tuple(one(...bodies), contentType, fc.boolean())
      .map(([[method, path, headers, body], type, isChunked]) => ({
        method,
        path,
        headers: [...headers, ['content-type', type]] as const,
        body,
        isChunked,
      })),
    fc.tuple(one(...bodies)).map(([[method, path, headers, body]]) => ({ method, path, headers, body })),
    fc
      .tuple(one(...bodies))
      .map(([[method, path, headers]]) => ({ method, path, headers: [...headers, ...json], body: '' })),
  );
  const huge = fc
    .tuple(one(...bodies), fc.integer({ min: 1, max: 100_000 }), fc.boolean(), one(' ', '[', '"', '\\'))
    .map(([[method, path, headers], more, isChunked, fill]) => ({
      method,
      path,
      headers: [...headers, ...json],
      body: `{"${marker}":"`.padEnd((path.startsWith('/v1/') ? maxBodyBytes : 1024 * 1024) + more, fill),
      isChunked,
    }));

  const routes: readonly (readonly [string, readonly Header[], readonly string[]])[] = [
    [sysadminRoot, asSysadmin, ['GET', 'POST']],
    [`${sysadminRoot}/${tenant}`, asSysadmin, ['GET', 'PATCH', 'DELETE']],
    [`${sysadminRoot}/${tenant}/credentials`, asSysadmin, ['GET']],
    [`${sysadminRoot}/${tenant}/credentials/openai`, asSysadmin, ['PUT', 'DELETE']],
    ['/v1/chat/completions', asPlatform(tenant), ['POST']],
    ['/v1/embeddings', asPlatform(tenant), ['POST']],
    ['/v1/models', asPlatform(tenant), ['GET']],
    ['/health', [], ['GET']],
    ['/ready', [], ['GET']],
    ['/docs', [], ['GET']],
    ['/docs/openapi.json', [], ['GET']],
  ];
  const methods = [
    'GET',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'SEARCH',
    'MKCOL',
    'LOCK',
  ];
  const misdirected = fc.oneof(
    fc
      .tuple(one(...routes), one(...methods), fc.option(brokenJson, { nil: undefined }), contentType)
      .filter(([[, , own], method]) => !own.includes(method))
      .map(([[path, headers], method, body, type]) => ({
        method,
        path,
        headers: [...headers, ['content-type', type]] as const,
        body,
      })),
    fc
      .tuple(
        one(
          '/',
          '//',
          '/docs/',
          '/v1/',
          '/v1/models/',
          `${sysadminRoot}/${tenant}/`,
          '/api/v1/sysadmin/',
          '/health/',
          '/..;/',
        ),
        oddSegment,
        one(asSysadmin, asPlatform(tenant), [] as readonly Header[]),
        one(...methods),
      )
      .map(([prefix, text, headers, method]) => ({ method, path: prefix + text, headers })),
    // Requests without a key, or with a wrong one.
    fc
      .tuple(
        one(...routes.slice(0, 7)),
        fc.option(oddHeader()),
        one('', '/', '?x-api-key=1', '%20', '%zz'),
        brokenJson,
      )
      .map(([[path, , [method]], key, suffix, body]) => ({
        method: method!,
        path: path + suffix,
        headers: [...json, ...(key === null ? [] : [['x-api-key', key] as const])],
        body,
      })),
    fc.tuple(one(...routes.slice(0, 7)), oddHeader()).map(([[path, headers, [method]], second]) => ({
      method: method!,
      path,
      headers: [...headers, ['x-api-key', second]] as const,
    })),
  );

  const floods = fc
    .tuple(one(...routes), fc.integer({ min: 20_000, max: 48_000 }), one(1, 4, 400))
    .map(([[path, headers, [method]], size, lines]) => ({
      method: method!,
      path,
      headers: [
        ...headers,
        ...Array.from({ length: lines }, (_, each): Header => [
          `x-${marker}-${each}`,
          marker.padEnd(Math.ceil(size / lines), 'x'),
        ]),
      ],
    }));
  const head = `x-${marker}: 1\r\nhost: tenkey.test`;
  const notHttp = fc
    .tuple(
      one(
        `GET /health HTTP/1.1\r\nx-${marker}: 1`,
        `GET /v1/models HTTP/1.1\r\nx-api-key: ${platformKey}`,
        `GET /health HTTP/9.9\r\n${head}`,
        `GET /health HTTP/1.1x\r\n${head}`,
        `GET /${marker}\r\n${head}`,
        `GET  HTTP/1.1\r\n${head}`,
        `${marker} /health HTTP/1.1\r\n${head}`,
        `get /health HTTP/1.1\r\n${head}`,
        `GET /${marker} x HTTP/1.1\r\n${head}`,
        `GET /${marker}\u0000 HTTP/1.1\r\n${head}`,
        `GET /${marker}\u00e5 HTTP/1.1\r\n${head}`,
        `GET ${marker} HTTP/1.1\r\n${head}`,
        `GET http://${marker}/no-such HTTP/1.1\r\n${head}`,
        `GET http://${marker}/v1/models HTTP/1.1\r\n${head}`,
        `OPTIONS * HTTP/1.1\r\n${head}`,
        `GET /health HTTP/1.1\r\n${head}\r\n${marker}`,
        `GET /health HTTP/1.1\r\n${head}\r\n${marker} : 1`,
        `GET /health HTTP/1.1\r\n${head}\r\n: ${marker}`,
        `GET /health HTTP/1.1\r\n${head}\r\nx: ${marker}\u0000`,
        `GET /health HTTP/1.1\r\n${head}\r\nx: a\rb`,
        `POST /health HTTP/1.1\r\n${head}\r\nexpect: ${marker}`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: -1`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: ${marker}`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: 1\r\ncontent-length: 2`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: 1\r\ntransfer-encoding: chunked`,
        `POST /health HTTP/1.1\r\n${head}\r\ntransfer-encoding: ${marker}`,
        `POST ${sysadminRoot} HTTP/1.1\r\n${head}\r\nx-api-key: ${superKey}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${marker}`,
        `POST ${sysadminRoot} HTTP/1.1\r\n${head}\r\nx-api-key: ${superKey}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff`,
        '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
        'PRI * HTTP/2.0\r\n\r\nSM',
        '\u0000\u0000\u0000',
        '{"jsonrpc":"2.0"}',
      ),
      one('', 'x', '\u0000', '\u00ff'),
    )
    .map(([text, tail]): Input => ({ method: '', path: '', raw: `${text}\r\n\r\n${tail}` }));

  return { unread, huge, misdirected, floods, notHttp };
}
