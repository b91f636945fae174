import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { sysadminPrefix } from '#http';
import { describeWithApp, encryptionKey, platformKey, superKey } from './support/app';
import { OpenApi } from './support/openapi';
import { createAuthority } from './support/certificates';
import {
  hasTerminals,
  runCli,
  runCliOnTerminal,
  runCliProcess,
  runCliWithInput,
  startCliProcess,
} from './support/cli';

const good = 'sk-accepted-by-the-provider-1a2b';
const bad = 'sk-refused-by-the-provider-3c4d';
const csvOf = (text: string) => text.trimEnd().split('\r\n');

describeWithApp('npx tenkey, to a running Tenkey', (tenkey) => {
  const ids: Record<string, string> = {};
  const printed: string[] = [];
  let folder: string;
  let own: Record<string, string>;

  /** A file with this content. */
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, `${content}\n`);
    return path;
  };
  const runWith = async (env: Record<string, string | undefined>, ...words: string[]) => {
    const result = await runCli({ ...own, ...env }, ...words);
    printed.push(result.stdout, result.stderr);
    return result;
  };
  const run = (...words: string[]) => runWith({}, ...words);

  beforeAll(async () => {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    own = { PORT: String(port) };
    folder = mkdtempSync(join(tmpdir(), 'tenkey-remote-'));
    file('good', good);
    file('bad', bad);
    tenkey.provider.rejectKey(bad);
    for (const name of ['harnosand', 'sundsvall']) ids[name] = await tenkey.createTenant(name);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tenants: create, list, show, suspend, activate, delete', async () => {
    const created = await run(
      'tenants',
      'create',
      'umea',
      '--display-name',
      '=Umeå',
      '--contact',
      'it@umea.example',
      '--expected-providers',
      'openai,azure',
    );
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(created.stdout).toMatch(/^The tenant umea is created, with the id [0-9a-f-]{36}\.\n$/);
    const table = (await run('tenants', 'list')).stdout;
    expect(table).toMatch(
      /^name +display name +state +contact email +expected providers +created at +id\numea +=Umeå +active/,
    );
    const csv = csvOf((await run('tenants', 'list', '--search', 'UMEÅ', '--csv')).stdout);
    expect(csv[0]).toBe('name,display_name,state,contact_email,expected_providers,created_at,id');
    expect(csv[1]).toMatch(/^umea,'=Umeå,active,it@umea\.example,"openai, azure",\d{4}-.*Z,[0-9a-f-]{36}$/);
    expect(csv).toHaveLength(2);
    expect(JSON.parse((await run('tenants', 'list', '--json')).stdout)).toEqual(
      (await tenkey.sysadmin('get', '/tenants')).body,
    );
    expect((await run('tenants', 'suspend', 'umea')).stdout).toBe('The tenant umea is suspended.\n');
    const id = csv[1]!.slice(-36);
    expect((await run('tenants', 'show', id.toUpperCase())).stdout).toMatch(
      /^name: +umea\n[^]*state: +suspended\n/,
    );
    expect((await run('tenants', 'activate', id)).stdout).toBe('The tenant umea is active.\n');
    expect(
      await run(
        'tenants',
        'policy',
        'umea',
        '--allowed-hosting',
        'eu, swe',
        '--egress-allow',
        '10.1.0.0/16:*',
      ),
    ).toMatchObject({
      code: 0,
      stdout: 'The calls of umea may go to the hosting eu, swe and to the providers any.\n',
    });
    expect((await run('tenants', 'show', id)).stdout).toMatch(
      /allowed hosting: +eu, swe\nallowed providers: +any\negress allow: +10\.1\.0\.0\/16:\*/,
    );
    expect((await run('tenants', 'policy', 'umea', '--allowed-hosting', 'any')).stdout).toContain(
      'the hosting any',
    );
    expect((await run('tenants', 'policy', 'umea')).stderr).toContain(
      'nothing was changed; name what to change',
    );
    const asked = await run('tenants', 'delete', 'umea');
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') });
    expect((await run('tenants', 'delete', 'umea', '--yes')).stdout).toBe('The tenant umea is deleted.\n');
    for (const words of [
      ['show', 'umea'],
      ['show', 'sundsval'],
      ['delete', 'SUNDSVALL', '--yes'],
    ]) {
      const { code, stdout, stderr } = await run('tenants', ...words);
      expect([code, stdout, stderr]).toEqual([
        1,
        '',
        expect.stringContaining('there is no tenant with this id'),
      ]);
      expect(stderr).not.toContain(words[1]);
    }
    const conflict = await run('tenants', 'create', 'sundsvall');
    expect(conflict).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: ./) });
  });

  it('credentials: the key comes from a file, a variable or standard input, and never from an argument', async () => {
    const set = ['credentials', 'set', 'sundsvall'];
    expect(await run(...set, 'openai', '--api-key-file', join(folder, 'good'), '--verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('it accepts the key'),
    });
    expect(
      await runWith({ KEY: bad }, 'credentials', 'set', 'harnosand', 'openai', '--api-key-env', 'KEY'),
    ).toMatchObject({ code: 0 });
    const piped = await runCliWithInput(`${good}\n`, own, ...set, 'mistral', '--api-key-stdin');
    expect(piped).toMatchObject({ code: 0, stdout: 'The Mistral (mistral) credential is set.\n' });
    const azure = [
      ...[
        ...set,
        'azure',
        '--api-key-file',
        join(folder, 'good'),
        '--field',
        'endpoint=https://a.openai.azure.com',
      ],
      ...['--field', 'api_version=2024-10-21', '--field', 'deployment_name=d', '--field', 'comment=x'],
    ];
    expect(await run(...azure, '--field', 'deployments={"gpt-4o":"d4"}')).toMatchObject({
      code: 0,
      stderr: 'No provider has these fields, so they are ignored: comment\n',
    });
    const { credentials } = (await tenkey.sysadmin('get', `/tenants/${ids.sundsvall}/credentials`)).body;
    expect(credentials.map(({ provider, masked_key: mask }: any) => [provider, mask])).toEqual([
      ['azure', '...1a2b'],
      ['mistral', '...1a2b'],
      ['openai', '...1a2b'],
    ]);
    expect(credentials[0].config).toMatchObject({ deployments: { 'gpt-4o': 'd4' } });

    const argument = await run(...set, 'openai', '--field', `api_key=${good}`);
    expect(argument).toMatchObject({ code: 2, stderr: expect.stringContaining('must not be an argument') });
    const missing = await run(...set, 'openai');
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('--api-key-stdin') });
    const unset = await run(...set, 'openai', '--api-key-env', good);
    expect(unset).toMatchObject({ code: 1, stderr: expect.stringContaining('that is set') });
    const incomplete = await run(...set, 'azure', '--api-key-file', join(folder, 'good'));
    expect(incomplete.stderr).toMatch(
      /^error: The azure credential is not valid:\n {2}- azure: endpoint is required\n/,
    );
    // Parsed as a URL, this would be the path of the tenant itself.
    expect(await run('credentials', 'delete', 'sundsvall', '..', '--yes')).toMatchObject({ code: 1 });
    expect((await tenkey.sysadmin('get', `/tenants/${ids.sundsvall}`)).status).toBe(200);
  });

  it('credentials: list, stage, verify, promote, roll back, delete', async () => {
    const words = ['sundsvall', 'openai'];
    const staged = await run('credentials', 'stage', ...words, '--api-key-file', join(folder, 'bad'));
    const [, version] = / staged as version (\d+); calls go on using \.\.\.1a2b\.\n$/.exec(staged.stdout)!;
    const promotes = `credentials promote sundsvall openai --version ${version}`;
    expect(staged.stderr).toContain(`npx tenkey ${promotes} makes it live.`);
    const rejected = await run('credentials', 'verify', ...words, '--slot', 'staged');
    expect(rejected).toMatchObject({ code: 1, stdout: expect.stringMatching(/^rejected: /) });
    const refused = await run('credentials', 'promote', ...words);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*\n.*verify/) });
    await run('credentials', 'set', ...words, '--stage', '--api-key-file', join(folder, 'good'));
    // What was printed is for a version that is not staged any more.
    expect(await run(...promotes.split(' '))).toMatchObject({ code: 1, stdout: '' });
    expect((await run('credentials', 'promote', ...words)).stdout).toContain('...1a2b is live.');
    const list = (await run('credentials', 'list', 'sundsvall')).stdout;
    expect(list).toMatch(/^provider +slot +key +status +version .*\n/);
    expect(list).toMatch(/^openai +previous +\.\.\.1a2b +ready/m);
    expect((await run('credentials', 'rollback', ...words)).stdout).toContain('is live again');
    const all = csvOf((await run('credentials', 'list', '--csv')).stdout);
    expect(all.map((line) => line.split(',').slice(0, 4).join(' '))).toEqual([
      'tenant provider slot key',
      'harnosand openai live ...3c4d',
      'sundsvall azure live ...1a2b',
      'sundsvall mistral live ...1a2b',
      'sundsvall openai live ...1a2b',
      'sundsvall openai staged ...1a2b',
    ]);
    const removed = await run('credentials', 'delete', ...words, '--slot', 'staged', '--yes');
    expect(removed).toMatchObject({ code: 0, stdout: 'The staged OpenAI (openai) credential is removed.\n' });
    await run('credentials', 'delete', 'sundsvall', 'azure', '--yes');
    expect(JSON.parse((await run('credentials', 'list', 'sundsvall', '--json')).stdout)).toEqual(
      (await tenkey.sysadmin('get', `/tenants/${ids.sundsvall}/credentials`)).body,
    );
  });

  it('credentials verify --all names the keys that are not accepted', async () => {
    const { code, stdout, stderr } = await run('credentials', 'verify', '--all');
    expect([code, stderr]).toEqual([1, '3 credentials verified, 1 not accepted.\n']);
    expect(stdout).toMatch(
      /^tenant +provider +slot +key +outcome +tenant id\nharnosand +openai +live +\.\.\.3c4d +rejected .*\n$/,
    );
    expect(await run('credentials', 'verify', '--all', '--provider', 'mistral')).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(await run('credentials', 'verify', '--all', '--provider', 'mistrall')).toMatchObject({ code: 1 });
    for (const words of [
      ['sundsvall'],
      ['--all', 'sundsvall'],
      ['sundsvall', 'openai', '--provider', 'openai'],
      ['sundsvall', 'openai', '--resume'],
      ['--all', '--resume', '--provider', 'openai'],
      [],
    ]) {
      expect([words, (await run('credentials', 'verify', ...words)).code]).toEqual([words, 2]);
    }
  });

  it('credentials list shows those of all tenants that match a filter', async () => {
    const rejected = csvOf((await run('credentials', 'list', '--status', 'rejected', '--csv')).stdout);
    expect(rejected.slice(1).map((line) => line.split(',').slice(0, 5).join(' '))).toEqual([
      'harnosand openai live ...3c4d rejected',
    ]);
    expect(await run('credentials', 'list', '--staged')).toMatchObject({
      stdout: '',
      stderr: 'There are none.\n',
    });
    expect((await run('credentials', 'list', 'sundsvall', '--staged')).code).toBe(2);
    expect((await run('credentials', 'list', '--status', 'tampered')).code).toBe(1);
  });

  it('credentials verify --all stops with Ctrl-C, while Tenkey goes on', async () => {
    for (let count = 0; count < 2; count += 1) tenkey.provider.next({ delayMs: 3000 });
    const child = startCliProcess(own, 'credentials', 'verify', '--all', '--json');
    let output = '';
    child.stdout!.on('data', (part: Buffer) => (output += part.toString()));
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await until(() => tenkey.provider.calls.open === 2);
    child.kill('SIGINT');
    expect([await closed, output]).toEqual([130, '']);
    const second = await run('credentials', 'verify', '--all');
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toMatch(/^error: A verification is running: .*\nnpx tenkey .* --resume follows it/);
    const followed = await run('credentials', 'verify', '--all', '--resume');
    expect(followed.stderr).toContain('3 credentials verified, 1 not accepted.');
    tenkey.provider.reset();
    tenkey.provider.rejectKey(bad);
  });

  it('keys: a created key is all that is on standard output', async () => {
    const created = await run(
      'keys',
      'create',
      'sundsvall',
      'chat',
      '--models',
      'gpt-4o,nix',
      '--requests-per-minute',
      '9',
    );
    expect(created.stdout).toMatch(/^tk_\w+\n$/);
    expect(created.stderr).toContain('warning: nix is not in the model catalogue');
    const key = created.stdout.trim();
    printed.splice(printed.indexOf(created.stdout), 1);
    const models = await tenkey.http().get('/v1/models').set('Authorization', `Bearer ${key}`);
    expect(models.body.data).toHaveLength(1);
    const [, line = ''] = csvOf((await run('keys', 'list', 'sundsvall', '--csv')).stdout);
    const [id = ''] = line.split(',');
    expect(line).toContain(`,chat,...${key.slice(-4)},active,`);
    expect(line).toMatch(/,gpt-4o nix,9,$/);
    // A key in place of its id stays on this machine.
    const pasted = await run('keys', 'revoke', 'sundsvall', key, '--yes');
    expect(pasted).toMatchObject({ code: 1, stderr: expect.stringContaining('by its id') });
    expect(await run('keys', 'revoke', 'sundsvall', id)).toMatchObject({ code: 1 });
    expect(await run('keys', 'revoke', 'sundsvall', id, '--yes')).toMatchObject({
      stdout: 'The key is revoked.\n',
    });
    expect(await run('keys', 'list', 'sundsvall')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'There are none.\n',
    });
    printed.push(...tenkey.logLines.filter((text) => text.includes(key)));
  });

  it('a sysadmin key opens what its scopes allow, and what it may not see is named', async () => {
    const words = ['sysadmin-keys', 'create', 'helpdesk', '--tenants', 'sundsvall'];
    const created = await run(...words, '--scopes', 'credentials:read');
    const key = created.stdout.trim();
    printed.splice(printed.indexOf(created.stdout), 1);
    const as = ['--key-file', file('scoped', key)];
    expect((await run('credentials', 'list', ids.sundsvall!, ...as)).stdout).toContain('...1a2b');
    const named = await run('credentials', 'list', 'sundsvall', ...as);
    expect([named.code, named.stdout]).toEqual([1, '']);
    expect(named.stderr).toMatch(/^error: .*tenants:read\.\n[^]*give the id of the tenant/);
    const other = await run('credentials', 'list', ids.harnosand!, ...as);
    expect(other).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: ./) });
    const status = await run('status', ...as);
    expect(status.stdout).toMatch(/^mode +strict\n[^]*^encryption +not shown: .*encryption:rotate/m);
    expect((await run('sysadmin-keys', 'list')).stdout).toMatch(
      /helpdesk +\.\.\.\w{4} +active [^]*credentials:read/,
    );
    const [, line = ''] = csvOf((await run('sysadmin-keys', 'list', '--csv')).stdout);
    await run('sysadmin-keys', 'revoke', line.split(',')[0]!, '--yes');
    const revoked = await run('credentials', 'list', ids.sundsvall!, ...as);
    expect([revoked.code, revoked.stderr]).toEqual([
      1,
      expect.stringContaining('came from the file of --key-file'),
    ]);
    expect(await run(...words)).toMatchObject({ code: 2 });
    expect((await run(...words, '--scopes', 'all')).stderr).toContain(
      'scopes must each be one of tenants:read',
    );
  });

  it('the help names the scope that opens the route of each command', async () => {
    const openApi = await OpenApi.of(tenkey);
    const tenant = '/tenants/{tenant_id}';
    const credential = `${tenant}/credentials/{provider}`;
    const commands = {
      'tenants list': 'GET /tenants',
      'tenants show': `GET ${tenant}`,
      'tenants create': 'POST /tenants',
      'tenants suspend': `PATCH ${tenant}`,
      'tenants policy': `PATCH ${tenant}`,
      'tenants activate': `PATCH ${tenant}`,
      'tenants delete': `DELETE ${tenant}`,
      'credentials list': `GET ${tenant}/credentials`,
      'credentials set': `PUT ${credential}`,
      'credentials stage': `PUT ${credential}`,
      'credentials verify': `POST ${credential}/verify`,
      'credentials promote': `POST ${credential}/promote`,
      'credentials rollback': `POST ${credential}/rollback`,
      'credentials delete': `DELETE ${credential}`,
      'keys list': `GET ${tenant}/keys`,
      'keys create': `POST ${tenant}/keys`,
      'keys revoke': `DELETE ${tenant}/keys/{key_id}`,
      'sysadmin-keys list': 'GET /keys',
      'sysadmin-keys create': 'POST /keys',
      'sysadmin-keys revoke': 'DELETE /keys/{key_id}',
      usage: 'GET /usage',
      calls: 'GET /usage/records',
      readiness: 'GET /readiness',
      processes: 'GET /processes',
      'receipts verify': 'POST /receipts/verify',
      'audit list': 'GET /audit-events',
      providers: 'GET /providers',
      'models list': 'GET /models',
    };
    for (const [command, route] of Object.entries(commands)) {
      const name = route.replace(' ', ` ${sysadminPrefix}`);
      const { operation } = openApi.route(name);
      const scope = operation['x-tenkey-scope'] as unknown;
      const { stdout } = await run(...command.split(' '), '--help');
      const [, named] = /sysadmin key of scope ([a-z:]+(?: or [a-z:]+)*)/.exec(stdout) ?? [];
      expect([command, named]).toEqual([command, Array.isArray(scope) ? scope.join(' or ') : scope]);
      if (scope === undefined) expect(stdout).toContain('It needs the super key.');
    }
  });

  it('providers and models', async () => {
    const providers = await run('providers');
    expect(providers).toMatchObject({ code: 0, stderr: '' });
    expect(providers.stdout).toMatch(
      /^id +label +kind +needs +may have +operations\nopenai +OpenAI +built in +api_key +endpoint organization project expires_at +chat\/completions completions /,
    );
    expect(JSON.parse((await run('providers', '--json')).stdout)).toEqual(
      (await tenkey.sysadmin('get', '/providers')).body,
    );
    const models = await run('models', 'list');
    expect(models.stdout).toMatch(/^name +kind +adapter +provider +upstream model +hosting\n/);
    expect(models.stdout).toMatch(/^gpt-4o +completion +litellm +openai +gpt-4o +usa$/m);
    expect(JSON.parse((await run('models', 'list', '--json')).stdout)).toEqual(
      (await tenkey.sysadmin('get', '/models')).body,
    );
    expect(csvOf((await run('models', 'list', '--csv')).stdout)[0]).toBe(
      'name,kind,adapter,provider,upstream_model,hosting',
    );
  });

  it('usage, receipts and audit', async () => {
    const call = await tenkey.chat(ids.sundsvall!);
    const receipt = call.headers['x-tenkey-receipt']!;
    // Within two seconds.
    await until(async () => (await tenkey.sysadmin('get', '/usage?group_by=')).body.total.calls > 0);
    const usage = await run('usage', '--group-by', 'tenant,model');
    expect(usage.stdout).toMatch(
      /^tenant id +tenant name +model +calls +input tokens.*\n[0-9a-f-]{36} +sundsvall +gpt-4o +1 /,
    );
    const csv = csvOf((await run('usage', '--tenant', 'sundsvall', '--csv')).stdout);
    expect(csv[0]).toMatch(/^day,calls,failed,.*,response_bytes$/);
    expect(csv).toHaveLength(2);
    expect(JSON.parse((await run('usage', '--group-by', '', '--json')).stdout)).toEqual(
      (await tenkey.sysadmin('get', '/usage?group_by=')).body,
    );
    expect((await run('usage', '--group-by', 'moon')).stderr).toContain(
      'comma-separated list of day, tenant',
    );
    // In a table only the hours with calls; the call was made in this one or in the one before.
    const hourly = await run('usage', '--interval', 'hour', '--group-by', 'tenant');
    expect(hourly.stdout).toMatch(
      /^time +tenant id +tenant name +calls +input tokens +output tokens .*p95 ms\n\d{4}-\d\d-\d\d \d\d:00 UTC +[0-9a-f-]{36} +sundsvall +1 .*\n$/,
    );
    const series = csvOf((await run('usage', '--interval', 'hour', '--group-by', 'none', '--csv')).stdout);
    expect(series[0]).toBe(
      'time,is_rest,calls,failed,unfinished,input_tokens,output_tokens,mean_ms,p50_ms,p95_ms',
    );
    expect(series).toHaveLength(25);
    expect(series.filter((line) => line.includes(',false,1,0,0,3,2,'))).toHaveLength(1);
    const days = await run('usage', '--interval', 'day', '--tenant', 'sundsvall', '--json');
    expect(JSON.parse(days.stdout)).toMatchObject({
      interval: 'day',
      series: [{ provider: 'openai', is_rest: false, calls: expect.any(Array) }],
    });
    expect((await run('usage', '--interval', 'hour', '--since', '2026-01-31')).stderr).toContain(
      'since must be at most 14 days ago',
    );
    expect(await run('usage', '--top', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--top needs --interval'),
    });

    const id = call.headers['x-tenkey-request-id']!;
    expect((await run('calls', '--request', id)).stdout).toMatch(
      /^at +tenant name +model +outcome +status +source +provider +key .*\n\d{4}-.* sundsvall +gpt-4o +completed +200 +tenant +openai +\.\.\.1a2b /,
    );
    expect(csvOf((await run('calls', '--tenant', 'sundsvall', '--limit', '1', '--csv')).stdout)).toHaveLength(
      2,
    );
    expect((await run('calls', '--request', 'of-the-client')).stderr).toContain('request_id must be a UUID');

    expect(await run('receipts', 'verify', receipt)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^valid: +yes\n[^]*key: +\.\.\.1a2b\n[^]*usage record: +agrees\n$/),
    });
    const header = file('receipt', `x-tenkey-receipt: ${receipt}`);
    expect(await run('receipts', 'verify', '--file', header)).toMatchObject({ code: 0 });
    const changed = `${receipt.slice(0, -6)}AAAAAA`;
    expect(await run('receipts', 'verify', changed)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^valid: +no/),
    });

    await tenkey.http().get('/api/v1/sysadmin/tenants').set('X-API-Key', 'wrong');
    const audit = csvOf(
      (await run('audit', 'list', '--tenant', 'sundsvall', '--limit', '2', '--csv')).stdout,
    );
    expect(audit[0]).toBe('seq,at,actor,action,outcome,provider,details,address,tenant_id');
    expect(audit).toHaveLength(3);
    const newest = JSON.parse((await run('audit', 'list', '--action', 'key.delete', '--json')).stdout);
    expect(newest.items[0]).toMatchObject({ action: 'key.delete', tenant_id: ids.sundsvall });
    expect((await run('audit', 'list', '--outcome', 'refused')).stdout).toMatch(/ refused /);
  });

  it('processes are listed with their leases', async () => {
    const { code, stdout } = await run('processes');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^id +responds +registered at .* silent +sealing key .*\n[0-9a-f-]{36} +yes .* no +yes /,
    );
    const { body } = await tenkey.sysadmin('get', '/processes');
    const [line] = JSON.parse((await run('processes', '--json')).stdout).items;
    expect(line).toMatchObject({ id: body.items[0].id, is_this: true, is_silent: false });
  });

  it('status shows what fails and what to do about it', async () => {
    const { code, stdout } = await run('status');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^version +\d+\.\d+\.\d+\nmode +strict\nready +yes\n/);
    expect(stdout).toMatch(/^processes +1\nencryption +[0-9a-f]{12} seals, \d+ rows under it\n/m);
    expect(stdout).toMatch(/^tenants +2: 2 active\ncredentials +3: 2 ready, 1 rejected\n/m);
    expect(stdout).toMatch(/calls fail for 1 pair .*\n +-> npx tenkey readiness /);
    expect(stdout).toMatch(/^calls today +1, 0 without a response\n/m);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({
      ready: { status: 'ready' },
      readiness: { breaking: 1, credentials: { ready: 2, rejected: 1 } },
      usage_today: { total: { calls: 1 } },
    });
  });

  it('names that someone wrote into the database cannot control a terminal', async () => {
    const name = 'x\u001b]0;title\u0007\u009b2J\u202e';
    await tenkey.edit(`UPDATE tenants SET display_name = $1, name = $2 WHERE id = $3`, [
      name,
      name,
      ids.harnosand,
    ]);
    for (const words of [
      ...[
        ['tenants', 'list'],
        ['tenants', 'list', '--csv'],
        ['tenants', 'list', '--json'],
      ],
      ...[
        ['tenants', 'suspend', ids.harnosand!],
        ['tenants', 'activate', ids.harnosand!],
      ],
      ...[['credentials', 'list'], ['credentials', 'verify', '--all'], ['readiness'], ['status']],
    ]) {
      const { stdout, stderr } = await run(...words);
      expect([words, stdout + stderr]).toEqual([words, expect.not.stringMatching(/[^\P{Cc}\r\n]|\p{Cf}/u)]);
      if (words[0] !== 'status') expect(stdout).toContain('title');
    }
    await tenkey.edit(`UPDATE tenants SET name = 'harnosand' WHERE id = $1`, [ids.harnosand]);
  });

  describe('which Tenkey, and which key', () => {
    let other: Server;
    let url: string;
    const seen: IncomingMessage[] = [];
    const answers: Record<string, (send: (status: number, body: string, headers?: object) => void) => void> =
      {
        redirect: (send) => send(307, '', { location: `${url}/elsewhere`, 'x-tenkey-request-id': 'r' }),
        html: (send) => send(502, '<h1>\u001b[31mBad gateway</h1>', { 'content-type': 'text/html' }),
        text: (send) => send(200, 'hello', { 'x-tenkey-request-id': 'r' }),
        json: (send) => send(200, '{"items":[],"next_cursor":null}'),
        slow: () => undefined,
        // What Tenkey responds without its database, from /ready and from all other routes.
        away: (send) =>
          send(
            503,
            JSON.stringify({
              ...{ status: 'not_ready', mode: 'strict', database: 'unavailable', models: 3, catalogue: 'ok' },
              ...{ receipts: 'on', reason: 'Check DATABASE_URL.' },
              ...{
                code: 'credential_store_unavailable',
                detail: 'The database of Tenkey cannot be reached.',
              },
            }),
            { 'x-tenkey-request-id': 'r' },
          ),
      };

    beforeAll(async () => {
      other = createServer((request, response) => {
        seen.push(request);
        answers[request.url!.split('/')[1]!]?.((status, body, headers) =>
          response.writeHead(status, { ...headers }).end(body),
        );
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      other.closeAllConnections();
      other.close();
    });

    it('reads them from options, from variables, and from the settings of the service', async () => {
      const at = `http://127.0.0.1:${own.PORT}`;
      const withoutService = { PORT: undefined, INTRIC_SUPER_API_KEY: undefined };
      const keyFile = file('super', superKey);
      for (const [env, ...words] of [
        [{ ...withoutService, TENKEY_URL: `${at}/`, TENKEY_KEY: superKey }],
        [{ ...withoutService, TENKEY_URL: at, TENKEY_KEY_FILE: keyFile }],
        [{ ...withoutService, TENKEY_URL: url, TENKEY_KEY: 'wrong' }, '--url', at, '--key-file', keyFile],
        [{ INTRIC_SUPER_API_KEY: `${superKey},another-super-key-81f0` }],
        [{}, '--url', at],
      ] as [Record<string, string | undefined>, ...string[]][]) {
        expect([words, await runWith(env, 'tenants', 'list', ...words)]).toEqual([
          words,
          { code: 0, stdout: expect.stringContaining('sundsvall'), stderr: '' },
        ]);
      }
    });

    it('refuses a wrong key and says where it came from', async () => {
      for (const [env, source] of [
        [{ TENKEY_KEY: 'a-wrong-key' }, 'TENKEY_KEY'],
        [{ INTRIC_SUPER_API_KEY: 'a-wrong-key' }, 'INTRIC_SUPER_API_KEY'],
        [{ TENKEY_KEY_FILE: file('wrong', 'a-wrong-key') }, 'the file that TENKEY_KEY_FILE names'],
      ] as const) {
        const { code, stdout, stderr } = await runWith(env, 'tenants', 'list');
        expect([code, stdout]).toEqual([1, '']);
        expect(stderr).toContain(`The key that was refused came from ${source}.\n`);
        expect(stderr).not.toContain('a-wrong-key');
      }
    });

    it('sends the key of the service to no other address', async () => {
      expect(await run('tenants', 'list', '--url', url)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('there is no key for this address'),
      });
      expect(await runWith({ TENKEY_URL: url }, 'tenants', 'list')).toMatchObject({ code: 3 });
      expect(seen).toHaveLength(0);
    });

    it('says in one sentence why nothing was reached', async () => {
      const port = Number(own.PORT);
      for (const [address, text] of [
        ['http://127.0.0.1:4', 'nothing listens there'],
        [`https://127.0.0.1:${port}`, 'does not speak TLS'],
        ['http://nowhere.invalid', 'cannot be resolved'],
        [`${url}/redirect`, 'Redirects are not followed'],
        [`${url}/html`, 'the response has the status 502 and is not from Tenkey'],
        [`${url}/json`, 'is not from Tenkey'],
        [`${url}/text`, 'is not JSON'],
        [`${url}/slow`, 'did not respond within 0.3 s'],
      ] as const) {
        const words = ['tenants', 'list', '--url', address, '--timeout', '0.3'];
        const { code, stdout, stderr } = await runWith({ TENKEY_KEY: superKey }, ...words);
        expect([address, code, stdout]).toEqual([address, 3, '']);
        expect(stderr).toMatch(/^error: .*\n$/);
        expect(stderr).toContain(text);
      }
      expect(seen.map((request) => request.url).filter((path) => path?.startsWith('/elsewhere'))).toEqual([]);
      const change = await runWith(
        { TENKEY_KEY: superKey },
        'tenants',
        'suspend',
        ids.sundsvall!,
        '--url',
        `${url}/slow`,
        '--timeout',
        '0.3',
      );
      expect(change.stderr).toContain('may have been done');
    });

    it('exits with 3 when Tenkey itself fails, and status says what to do', async () => {
      const at = ['--url', `${url}/away`];
      expect(await runWith({ TENKEY_KEY: superKey }, 'readiness', ...at)).toEqual({
        code: 3,
        stdout: '',
        stderr: 'error: The database of Tenkey cannot be reached.\n',
      });
      const { code, stdout } = await runWith({ TENKEY_KEY: superKey }, 'status', ...at);
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/^ready +no .*\n +-> Check DATABASE_URL\.\n/m),
      ]);
      expect(stdout).toMatch(/^tenants +not shown: The database of Tenkey cannot be reached\.$/m);
    });

    it('speaks TLS, also with a certificate from a private CA', async () => {
      const authority = await createAuthority('Private CA');
      const certificate = await authority.issue('127.0.0.1');
      // As a reverse proxy in front of Tenkey does.
      const proxy = createTlsServer(certificate, (socket) => {
        const upstream = connect(Number(own.PORT), '127.0.0.1');
        socket.pipe(upstream).pipe(socket);
        for (const each of [socket, upstream]) each.on('error', () => each.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const { port } = proxy.address() as AddressInfo;
      const words = ['tenants', 'list', '--url', `https://127.0.0.1:${port}`];
      const env = { ...own, TENKEY_KEY: superKey };
      const unknown = await runWith(env, ...words);
      expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('Set NODE_EXTRA_CA_CERTS')]);
      const known = { ...env, NODE_EXTRA_CA_CERTS: file('ca.pem', authority.cert) };
      expect(await runCliProcess(known, ...words)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('sundsvall'),
      });
      const otherName = await runCliProcess(known, ...words.slice(0, 3), `https://localhost:${port}`);
      expect([otherName.code, otherName.stderr]).toEqual([3, expect.stringContaining('another host name')]);
      proxy.close();
    }, 30_000);

    it('refuses unusable values without repeating them', async () => {
      const pasted = 'sk-pasted-by-mistake';
      for (const [env, ...words] of [
        [{}, '--url', pasted],
        [{}, '--url', `http://${pasted}@127.0.0.1/`],
        [{ TENKEY_URL: `http://127.0.0.1/?key=${pasted}` }],
        [{}, '--key-file', pasted],
        [{ TENKEY_KEY_FILE: pasted }],
        [{ TENKEY_KEY: `${pasted} and\nmore` }],
        [{ TENKEY_KEY: pasted, TENKEY_KEY_FILE: pasted }],
        [{ PORT: pasted }],
        [{ INTRIC_SUPER_API_KEY: undefined }],
      ] as [Record<string, string>, ...string[]][]) {
        const { code, stdout, stderr } = await runWith(env, 'tenants', 'list', ...words);
        expect([env, words, code, stdout]).toEqual([env, words, 3, '']);
        expect(stderr).toMatch(/^error: ./);
        expect(stderr).not.toContain(pasted);
      }
      for (const value of [pasted, `it's-${pasted}'`]) {
        expect(await run('tenants', 'list', '--timeout', value)).toMatchObject({
          code: 2,
          stderr: expect.not.stringContaining(pasted),
        });
      }
    });
  });

  const onTerminals = hasTerminals ? it : it.skip;
  onTerminals(
    'on a terminal: colours, cut tables, hidden answers and Ctrl-C',
    async () => {
      const set = ['credentials', 'set', 'sundsvall', 'openai'];
      const hidden = 'sk-typed-on-a-terminal-5e6f';
      const [coloured, plain, typed, stopped, deleted] = await Promise.all([
        runCliOnTerminal(own, ['tenants', 'list']),
        runCliOnTerminal({ ...own, NO_COLOR: '1' }, ['tenants', 'list']),
        runCliOnTerminal(own, set, 'API key', `${hidden}\r`),
        runCliOnTerminal(own, ['credentials', 'set', 'harnosand', 'openai'], 'API key', 'sk-half\u0003'),
        runCliOnTerminal(own, ['tenants', 'delete', 'sundsvall'], 'confirm', 'harnosand\r'),
      ]);
      expect(coloured.shown).toContain('\u001b[32mactive\u001b[39m');
      expect(plain.shown).toMatch(/^name +display name +state/);
      expect(plain.shown).not.toContain('\u001b');
      expect(Math.max(...plain.shown.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(60);
      expect([typed.code, typed.shown]).toEqual([
        0,
        expect.stringContaining('The OpenAI (openai) credential is set.'),
      ]);
      expect([stopped.code, stopped.shown]).toEqual([
        130,
        expect.stringContaining('stopped: nothing was changed.'),
      ]);
      expect(stopped.shown).not.toContain('sk-half');
      expect([deleted.code, deleted.shown]).toEqual([
        1,
        expect.stringContaining('not the name of the tenant'),
      ]);
      expect((await run('credentials', 'list', 'sundsvall')).stdout).toContain('...5e6f');
      expect(typed.shown).not.toContain(hidden);
    },
    30_000,
  );

  it('printed no secret at any time', () => {
    const all = printed.join('\n');
    expect(all.length).toBeGreaterThan(10_000);
    const secrets = { superKey, platformKey, encryptionKey, good, bad };
    expect(Object.entries(secrets).filter(([, secret]) => all.includes(secret))).toEqual([]);
    expect(readFileSync(join(folder, 'good'), 'utf8')).toContain(good);
  });

  async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
