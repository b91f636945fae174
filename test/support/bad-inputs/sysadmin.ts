import fc from 'fast-check';
import { tenantKey, marker, sysadminRoot, asSysadmin, textOf, type Ingredients } from './ingredients';

/** Requests to the sysadmin API, each wrong in a field, a path or a query. */
export function sysadminInputs(tenant: string, given: Ingredients) {
  const {
    one,
    odd,
    withControl,
    long,
    name,
    deep,
    noText,
    noObject,
    brokenJson,
    bodyWith,
    field,
    oddSegment,
    unknownId,
    id,
    provider,
    query,
    placeInRecords,
    request,
    admin,
  } = given;

  const badName = field(
    'name',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    one('""', '"   "', 'null'),
  );
  const badDisplayName = field('display_name', noText, withControl.map(textOf), long.map(textOf));
  const badContact = field(
    'contact_email',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    one('""', '"it-drift"', '"a@b@c.example"'),
  );
  const badState = field('state', noText, odd.map(textOf), one('""', '"Active"', '["active"]'));
  const badId = field('id', noText, odd.map(textOf), one('""', '"0b9d4a0e"'));
  const tenants = fc.oneof(
    request(
      'POST',
      sysadminRoot,
      admin,
      fc.oneof(
        bodyWith({}, badName),
        ...[badDisplayName, badContact, badState, badId].map((bad) => bodyWith({ name: 'good' }, bad)),
        noObject,
        brokenJson,
      ),
    ),
    request(
      'PATCH',
      `${sysadminRoot}/${tenant}`,
      admin,
      fc.oneof(
        ...[badName.filter(([, text]) => text !== 'null'), badDisplayName, badContact, badState].map((bad) =>
          bodyWith({}, bad),
        ),
        noObject,
        brokenJson,
      ),
    ),
    request(
      one('GET', 'PATCH', 'DELETE'),
      oddSegment.map((text) => `${sysadminRoot}/${text}`),
      admin,
      fc.oneof(brokenJson, fc.constant('{}')),
    ),
    request(
      one('GET', 'DELETE'),
      unknownId.map((text) => `${sysadminRoot}/${text}`),
      asSysadmin,
    ),
    request(
      'GET',
      query.map((text) => `${sysadminRoot}?${text}`),
      asSysadmin,
    ),
    request(
      'GET',
      placeInRecords.map((text) => `/api/v1/sysadmin/usage/records?${text}`),
      asSysadmin,
    ),
    request(
      'GET',
      one('by=', 'interval=', 'top=', 'since=', 'until=', 'tenant_id=', 'model=%00', 'provider=%0a').map(
        (text) => `/api/v1/sysadmin/usage/series?${text}${marker}`,
      ),
      asSysadmin,
    ),
  );

  const auditQuery = fc.oneof(
    fc
      .tuple(one('action', 'actor'), one('', marker), one('%00', '%01', '%7f'))
      .map(([filter, text, control]) => `${filter}=${text}${control}`),
    fc
      .tuple(one('action', 'actor'), fc.integer({ min: 201, max: 5000 }))
      .map(([filter, length]) => `${filter}=${marker.padEnd(length, 'x')}`),
    one(
      'limit=0',
      'cursor=0',
      'outcome=',
      'since=yesterday',
      'until=2026-02-30',
      'tenant_id=1',
      'actor=1&actor=2',
    ),
  );
  const audit = request(
    'GET',
    fc
      .tuple(one('', '/export'), auditQuery)
      .map(([path, text]) => `/api/v1/sysadmin/audit-events${path}?${text}`),
    asSysadmin,
  );

  const badKey = field(
    'api_key',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    odd.map((text) => textOf(`${text}\u00e5`)),
    one('null', '""', '"short"', '"        "', '"...abcd"'),
  );
  const badEndpoint = field(
    'endpoint',
    noText,
    odd.map(textOf),
    long.map((text) => textOf(`https://llm.example.com/${text}`)),
    withControl.map((text) => textOf(`https://llm.example.com/${text}`)),
    odd.map((text) => textOf(`https://user:${text}@llm.example.com`)),
    odd.map((text) => textOf(`https://llm.example.com/?${text}`)),
    one(
      'ftp://llm.example.com',
      'javascript:1',
      'file:///etc/passwd',
      'https:llm.example.com',
      'https://',
    ).map(textOf),
    one(
      'http://127.0.0.1:1',
      'http://0x7f.1',
      'http://169.254.169.254',
      'http://[::1]:1',
      'http://localhost',
    ).map(textOf),
    one('https://llm.example.com:99999', 'https://[::', 'https://a b', 'https://llm.example.com\\@x').map(
      textOf,
    ),
  );
  const azure = {
    api_key: tenantKey,
    endpoint: 'https://sundsvall.openai.azure.com',
    api_version: '2024-10-21',
    deployment_name: 'gpt-4o',
  };
  const badAzure = fc.oneof(
    badEndpoint,
    field(
      'api_version',
      noText,
      odd.map((text) => textOf(`${text} `.padEnd(40, '/'))),
    ),
    field(
      'deployment_name',
      noText,
      odd.map((text) => textOf(`/${text}`)),
      long.map(textOf),
    ),
    field(
      'deployments',
      fc.oneof(odd, fc.array(odd, { maxLength: 3 }), fc.integer(), fc.boolean()).map(textOf),
      name.filter((key) => key !== '__proto__').map((key) => `{"a":"b",${textOf(key)}:5}`),
      name
        .filter((key) => key !== '__proto__')
        .map((key) => `{"a":"b",${textOf(key)}:{"constructor":{"a":null}}}`),
      odd.map((key) => `{${textOf(`${key} `)}:"one"}`),
      deep.map((text) => `{"a":${text}}`),
      fc.constant(textOf(Object.fromEntries(Array.from({ length: 201 }, (_, each) => [`m${each}`, 'one'])))),
    ),
  );
  const credentials = fc.oneof(
    request(
      'PUT',
      provider.map((each) => `${sysadminRoot}/${tenant}/credentials/${each}`),
      admin,
      fc.oneof(bodyWith({}, badKey), bodyWith({ api_key: tenantKey }, badKey), noObject, brokenJson),
    ),
    request(
      'PUT',
      one('openai', 'vllm', 'ovhcloud', 'berget').map(
        (each) => `${sysadminRoot}/${tenant}/credentials/${each}`,
      ),
      admin,
      bodyWith({ api_key: tenantKey }, badEndpoint),
    ),
    request('PUT', `${sysadminRoot}/${tenant}/credentials/azure`, admin, bodyWith(azure, badAzure)),
    request(
      'PUT',
      provider.map((each) => `${sysadminRoot}/${tenant}/credentials/${each}?stage=true`),
      admin,
      fc.oneof(bodyWith({ api_key: tenantKey }, badKey), noObject, brokenJson),
    ),
    request(
      'PUT',
      oddSegment.map((text) => `${sysadminRoot}/${tenant}/credentials/openai?stage=${text}`),
      admin,
      fc.constant(textOf({ api_key: tenantKey })),
    ),
    request(
      'POST',
      one('verify', 'promote', 'rollback').map(
        (step) => `${sysadminRoot}/${tenant}/credentials/openai/${step}`,
      ),
      admin,
      fc.oneof(bodyWith({}, badKey), noObject, brokenJson),
    ),
    request(
      one('POST', 'DELETE'),
      fc
        .tuple(one('promote?version', 'verify?slot', '?slot'), oddSegment)
        .map(([path, text]) => `${sysadminRoot}/${tenant}/credentials/openai/${path}=${text}`),
      asSysadmin,
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(id, oddSegment).map(([each, text]) => `${sysadminRoot}/${each}/credentials/${text}`),
      admin,
      fc.oneof(brokenJson, fc.constant(textOf(azure))),
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(oddSegment, provider).map(([text, each]) => `${sysadminRoot}/${text}/credentials/${each}`),
      admin,
      fc.constant(textOf(azure)),
    ),
    request(
      'GET',
      fc.oneof(oddSegment, unknownId).map((text) => `${sysadminRoot}/${text}/credentials`),
      asSysadmin,
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(unknownId, provider).map(([text, each]) => `${sysadminRoot}/${text}/credentials/${each}`),
      admin,
      fc.constant(textOf(azure)),
    ),
  );

  return { tenants, audit, credentials };
}
