import { FernetService } from '#crypto';
import { describeStaged, newKey, oldKey, thirdKey } from './support/staged';

describeStaged('a staged credential', (tenkey, staged) => {
  const { path, stage, post, list, listed, used, events } = staged;

  it('leaves the live one, its calls and its health unchanged, and the response names the next steps', async () => {
    await post('/verify');
    const before = await listed();
    const answer = await stage(newKey);
    const { version } = answer.body;
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        tenant_id: staged.tenant,
        provider: 'openai',
        masked_key: '...bbbb',
        set_at: expect.stringMatching(/Z$/),
        staged: true,
        version: expect.stringMatching(/^\d+$/),
        message: expect.stringContaining('calls go on using ...aaaa'),
      },
    ]);
    expect(answer.body.message).toContain(`POST /api/v1/sysadmin${path('/verify?slot=staged')}`);
    expect(answer.body.message).toContain(`POST /api/v1/sysadmin${path(`/promote?version=${version}`)}`);
    expect(await used()).toEqual([oldKey, `openai/...aaaa/v${before.version}`]);
    const { staged: stagedNow, ...live } = await listed();
    expect({ ...live, staged: null }).toEqual(before);
    expect(stagedNow).toEqual({
      masked_key: '...bbbb',
      encryption_status: 'encrypted',
      configured_at: answer.body.set_at,
      config: {},
      status: 'ready',
      version,
      expires_at: null,
      expires_within_days: null,
      verification: null,
      rejection: null,
    });
  });

  it('stays staged, and the live one unchanged, when the query has an unknown parameter', async () => {
    await stage(newKey);
    const before = await list();
    const { requests } = tenkey.provider;
    const already = requests.length;
    for (const [method, suffix, known] of [
      ['put', '?staged=true', 'verify, stage'],
      ['put', '?stage=true&verfy=true', 'verify, stage'],
      ['delete', '?slots=staged', 'slot'],
      ['delete', '?slot=staged&slot_=previous', 'slot'],
      ['post', '/promote?verson=999', 'version'],
      ['post', '/verify?slt=staged', 'slot'],
      ['post', '/rollback?version=1', undefined],
    ] as const) {
      const { status, body } = await tenkey
        .sysadmin(method, path(suffix))
        .send(method === 'put' ? { api_key: thirdKey } : {});
      const message =
        known === undefined ? 'this route accepts no query' : `the query may contain only ${known}`;
      expect([suffix, status, body.code, body.errors]).toEqual([
        suffix,
        422,
        'validation_failed',
        [{ path: 'query', message }],
      ]);
    }
    expect(await list()).toEqual(before);
    expect(requests).toHaveLength(already);
  });

  it('is verified on its own, and the result is shown with it and does not affect the live one', async () => {
    const { version } = (await stage(newKey)).body;
    tenkey.provider.reset();
    const accepted = await post('/verify?slot=staged');
    expect(accepted.body).toMatchObject({ outcome: 'accepted', masked_key: '...bbbb', version });
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([newKey]);
    expect(await listed()).toMatchObject({
      masked_key: '...aaaa',
      verification: null,
      staged: { status: 'ready', verification: { outcome: 'accepted' } },
    });
    tenkey.provider.rejectKey(newKey);
    expect((await post('/verify?slot=staged')).body.outcome).toBe('rejected');
    expect((await post('/verify?slot=live')).body.outcome).toBe('accepted');
    expect(await listed()).toMatchObject({
      status: 'ready',
      verification: { outcome: 'accepted' },
      staged: { status: 'rejected', verification: { outcome: 'rejected' }, rejection: { count: 1 } },
    });
  });

  it('becomes the live one at a promotion, with its version and its verification', async () => {
    const before = await listed();
    const { version } = (await stage(newKey)).body;
    await post('/verify?slot=staged');
    const answer = await post(`/promote?version=${version}`);
    const { rollback_until } = answer.body;
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        tenant_id: staged.tenant,
        provider: 'openai',
        masked_key: '...bbbb',
        version,
        verification: expect.objectContaining({ outcome: 'accepted' }),
        replaced: { masked_key: '...aaaa', version: before.version, slot: 'previous' },
        rollback_until: expect.any(String),
        message: `The OpenAI (openai) credential ...bbbb is live. ...aaaa can be rolled back to until ${rollback_until}.`,
      },
    ]);
    const hours = (Date.parse(rollback_until) - Date.now()) / 3_600_000;
    expect([hours > 71.9, hours <= 72]).toEqual([true, true]);
    expect(await used()).toEqual([newKey, `openai/...bbbb/v${version}`]);
    const { staged: _staged, previous: _previous, provider: _provider, ...was } = before;
    expect(await listed()).toMatchObject({
      masked_key: '...bbbb',
      version,
      status: 'ready',
      verification: { outcome: 'accepted' },
      staged: null,
      previous: { ...was, rollback_until },
    });
  });

  it('is promoted unverified, and the response says so, even after an inconclusive verification', async () => {
    await stage(newKey);
    expect((await post('/promote')).body).toMatchObject({
      verification: null,
      message: expect.stringContaining('It was not verified.'),
    });
    await stage(thirdKey, '?stage=true', { expires_at: '2020-01-01' });
    tenkey.provider.next({ status: 500 });
    await post('/verify?slot=staged');
    expect((await post('/promote')).body.message).toMatch(
      /The outcome of its last verification was unknown\. Its expires_at is in the past\./,
    );
  });

  it.each([
    [401, 'rejected'],
    [403, 'forbidden'],
  ])(
    'that the provider refused with %d (%s) is not promoted until it accepts it',
    async (status, outcome) => {
      await stage(newKey);
      tenkey.provider.next({ status });
      expect((await post('/verify?slot=staged')).body.outcome).toBe(outcome);
      const before = await list();
      const refused = await post('/promote');
      expect([refused.status, refused.body.code]).toEqual([424, 'credential_rejected']);
      expect(refused.body.detail).toMatch(
        /refused the staged credential .*\.\.\.bbbb, last at 2.*Z\. Nothing/,
      );
      expect(refused.body.hint).toContain(`POST /api/v1/sysadmin${path('/verify?slot=staged')}`);
      expect(refused.body.hint).toContain(`PUT /api/v1/sysadmin${path('?stage=true')}`);
      expect(await list()).toEqual(before);
      expect((await used())[0]).toBe(oldKey);
      expect((await post('/verify?slot=staged')).body.outcome).toBe('accepted');
      expect((await post('/promote')).status).toBe(200);
      expect((await used())[0]).toBe(newKey);
    },
  );

  it('is validated as by a PUT, and one that is refused leaves the one that was staged', async () => {
    await stage(newKey);
    const before = await list();
    for (const [query, body, code] of [
      ['?stage=true', { api_key: 'short' }, 'credential_validation_failed'],
      [
        '?stage=true',
        { api_key: thirdKey, endpont: 'https://a.example.com' },
        'credential_validation_failed',
      ],
      ['?stage=true', { api_key: thirdKey, endpoint: 'http://169.254.169.254' }, 'endpoint_not_allowed'],
      ['?stage=true', [], 'credential_validation_failed'],
      ['?stage=yes', { api_key: thirdKey }, 'validation_failed'],
      ['?stage=', { api_key: thirdKey }, 'validation_failed'],
      ['?stage=true&stage=true', { api_key: thirdKey }, 'validation_failed'],
    ] as const) {
      const answer = await tenkey.sysadmin('put', path(query)).send(body);
      expect([query, answer.status, answer.body.code]).toEqual([query, 422, code]);
      expect(answer.text).not.toContain('third-key');
    }
    tenkey.provider.next({ status: 401 });
    const refused = await stage(thirdKey, '?stage=true&verify=true');
    expect([refused.status, refused.body.code]).toEqual([422, 'credential_validation_failed']);
    expect(await list()).toEqual(before);
    const verified = await stage(thirdKey, '?verify=true&stage=true');
    expect(verified.body).toMatchObject({ staged: true, verification: { outcome: 'accepted' } });
    expect(verified.body.message).not.toContain('verify?slot=staged');
    expect((await listed()).staged).toMatchObject({
      masked_key: '...cccc',
      verification: { outcome: 'accepted' },
    });
    expect((await stage(newKey, '?stage=false')).body).not.toHaveProperty('staged');
    expect((await used())[0]).toBe(newKey);
  });

  it('replaces one that was staged before, and keeps no part of it', async () => {
    const first = (await stage(newKey)).body.version;
    await post('/verify?slot=staged');
    const second = (await stage(thirdKey)).body.version;
    expect((await listed()).staged).toMatchObject({ masked_key: '...cccc', verification: null });
    const conflict = await post(`/promote?version=${first}`);
    expect([conflict.status, conflict.body.code]).toEqual([409, 'credential_conflict']);
    expect(conflict.body.detail).toContain(`The staged OpenAI credential is version ${second}, ...cccc`);
    expect(conflict.body.hint).toContain(`?version=${second}`);
    expect((await used())[0]).toBe(oldKey);
    const versions = await tenkey.database.query(
      'SELECT version FROM credential_health WHERE tenant_id = $1 AND version = $2',
      [staged.tenant, first],
    );
    expect(versions).toEqual([]);
    expect((await post(`/promote?version=${second}`)).status).toBe(200);
    expect((await used())[0]).toBe(thirdKey);
  });

  it('stays staged when the live one is set by a PUT', async () => {
    const { version } = (await stage(newKey)).body;
    await post('/verify?slot=staged');
    const put = await stage(thirdKey, '');
    expect(put.body.message).toContain('...bbbb is still staged.');
    expect(await listed()).toMatchObject({
      masked_key: '...cccc',
      verification: null,
      staged: { masked_key: '...bbbb', version, verification: { outcome: 'accepted' } },
    });
    expect((await post('/promote')).body.replaced.masked_key).toBe('...cccc');
  });

  it('may be the first of its provider: visible, not used, and promoted without a previous one', async () => {
    const put = await tenkey
      .sysadmin('put', `/tenants/${staged.tenant}/credentials/mistral?stage=true`)
      .send({ api_key: newKey });
    expect(put.body.message).toContain('no call uses it yet, and no credential is live');
    const { credentials, without_live } = await list();
    expect(credentials.map(({ provider }: { provider: string }) => provider)).toEqual(['openai']);
    expect(without_live).toEqual([
      {
        provider: 'mistral',
        staged: expect.objectContaining({ masked_key: '...bbbb', status: 'ready' }),
        previous: null,
      },
    ]);
    const call = await tenkey.chat(staged.tenant, { model: 'mistral-large' });
    expect(call.body.error.code).toBe('credential_not_configured');
    const promoted = await tenkey.sysadmin('post', `/tenants/${staged.tenant}/credentials/mistral/promote`);
    expect(promoted.body).toMatchObject({ replaced: null, rollback_until: null });
    expect((await list()).without_live).toBeUndefined();
    expect((await tenkey.chat(staged.tenant, { model: 'mistral-large' })).status).toBe(200);
    const none = await tenkey.sysadmin('post', `/tenants/${staged.tenant}/credentials/mistral/rollback`);
    expect(none.body.code).toBe('credential_conflict');
  });

  it('is shown in the explanation, with the time until which a promotion can be rolled back', async () => {
    const explained = async (name: string) =>
      (await tenkey.sysadmin('get', `/tenants/${staged.tenant}/models`)).body.models.find(
        (model: { name: string }) => model.name === name,
      );
    expect(await explained('gpt-4o')).toMatchObject({ staged: null, rollback_until: null });
    const { version } = (await stage(newKey)).body;
    expect(await explained('gpt-4o')).toMatchObject({
      ready: true,
      credential: { masked_key: '...aaaa' },
      staged: { masked_key: '...bbbb', version, status: 'ready' },
      rollback_until: null,
    });
    expect(await explained('gpt-4o-legacy')).toMatchObject({ staged: null });
    const { rollback_until } = (await post('/promote')).body;
    expect(await explained('gpt-4o')).toMatchObject({
      credential: { masked_key: '...bbbb', version },
      staged: null,
      rollback_until,
    });
    await tenkey
      .sysadmin('put', `/tenants/${staged.tenant}/credentials/mistral?stage=true`)
      .send({ api_key: newKey });
    expect(await explained('mistral-large')).toMatchObject({
      ready: false,
      credential: null,
      staged: { masked_key: '...bbbb' },
      problem: { code: 'credential_not_configured' },
    });
  });

  it('causes no warning in the readiness report when it expires, as the live one does', async () => {
    const soon = new Date(Date.now() + 3 * 86_400_000).toISOString();
    await stage(newKey, '?stage=true', { expires_at: soon });
    const warnings = async () =>
      (await tenkey.sysadmin('get', '/readiness?limit=1')).body.warnings.map(
        ({ masked_key }: { masked_key: string }) => masked_key,
      );
    expect((await listed()).staged).toMatchObject({ status: 'expiring', expires_at: soon });
    expect(await warnings()).toEqual([]);
    await post('/promote');
    expect(await warnings()).toEqual(['...bbbb']);
  });

  it('is opened neither to show it nor to promote it', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    const encrypt = jest.spyOn(FernetService.prototype, 'encrypt');
    await stage(newKey);
    encrypt.mockClear();
    await list();
    await tenkey.sysadmin('get', `/tenants/${staged.tenant}/models`);
    await post('/promote');
    await list();
    await post('/rollback');
    expect(decrypt).not.toHaveBeenCalled();
    expect(encrypt).not.toHaveBeenCalled();
    decrypt.mockRestore();
    encrypt.mockRestore();
  });

  it('is discarded without the live one, and only once', async () => {
    await stage(newKey);
    const discard = () => tenkey.sysadmin('delete', path('?slot=staged'));
    expect((await discard()).body).toMatchObject({
      deleted: true,
      message: 'The staged OpenAI (openai) credential is removed.',
    });
    expect([(await discard()).status, (await discard()).body.deleted]).toEqual([200, false]);
    expect(await listed()).toMatchObject({ masked_key: '...aaaa', staged: null });
    const gone = await post('/promote');
    expect([gone.status, gone.body.code]).toEqual([404, 'credential_not_staged']);
    expect(gone.body.hint).toContain(`PUT /api/v1/sysadmin${path('?stage=true')} with {"api_key":`);
    expect((await post('/verify?slot=staged')).body.code).toBe('credential_not_staged');
    for (const slot of ['live', '', 'Staged', 'staged&slot=staged']) {
      expect((await tenkey.sysadmin('delete', path(`?slot=${slot}`))).body.code).toBe('validation_failed');
    }
    expect((await used())[0]).toBe(oldKey);
  });

  it('is deleted with the credential and with the tenant', async () => {
    await stage(newKey);
    expect((await tenkey.sysadmin('delete', path())).body.deleted).toBe(true);
    expect(await list()).toEqual({ credentials: [] });
    await stage(newKey);
    await post('/verify?slot=staged');
    expect((await tenkey.sysadmin('delete', path())).body.deleted).toBe(true);
    expect((await tenkey.sysadmin('delete', path())).body.deleted).toBe(false);
    await stage(newKey);
    await post('/verify?slot=staged');
    await tenkey.sysadmin('delete', `/tenants/${staged.tenant}`);
    for (const table of ['credential_slots', 'credential_health']) {
      expect(
        await tenkey.database.query(`SELECT 1 FROM ${table} WHERE tenant_id = $1`, [staged.tenant]),
      ).toEqual([]);
    }
    const [deleted] = (await events()).slice(-1);
    expect(deleted.details.before.credentials).toEqual([
      { provider: 'openai', slot: 'staged', mask: '...bbbb', version: expect.stringMatching(/^\d+$/) },
    ]);
  });
});
