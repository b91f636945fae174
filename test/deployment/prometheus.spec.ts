import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApp, superKey, type TestApp } from '../support/app';
import { issueSysadminKey } from '../support/keys';
import { until } from '../support/until';
import { freePort, type Program, startProgram } from './program';

/** Prometheus 2.42 cannot send X-API-Key. */
describe('Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-prometheus-'));
  let tenkey: TestApp;
  let prometheus: Program;
  let base: string;

  beforeAll(async () => {
    const [metricsPort, ownPort] = [await freePort(), await freePort()];
    tenkey = await startTestApp({ METRICS_PORT: String(metricsPort) });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const { key } = await issueSysadminKey(tenkey, { scopes: ['usage:read'] });
    const job = (name: string, target: number, path: string, credentials?: string) => ({
      job_name: name,
      metrics_path: path,
      ...(credentials !== undefined && { authorization: { credentials } }),
      static_configs: [{ targets: [`127.0.0.1:${target}`] }],
    });
    const route = '/api/v1/sysadmin/metrics';
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        job('super-key', port, route, superKey),
        job('sysadmin-key', port, route, key),
        job('wrong-key', port, route, 'nobodys-key-of-some-length'),
        job('own-port', metricsPort, '/metrics'),
      ],
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    base = `http://127.0.0.1:${ownPort}`;
    prometheus = await startProgram(
      '/usr/bin/prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${ownPort}`,
      ],
      'prometheus',
      () =>
        fetch(`${base}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
    );
  });
  afterAll(async () => {
    await prometheus?.stop();
    await tenkey?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The value of an expression for each job. */
  const query = async (expression: string) => {
    const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await response.json()) as {
      data: { result: { metric: { job: string }; value: [number, string] }[] };
    };
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, Number(value[1])]));
  };

  it('scrapes the route with a bearer key, and the own port without one', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-scraped-calls-p1q2' });
    await tenkey.chat(tenant).expect(200);
    await tenkey.call(tenant, 'chat/completions', { model: 'mistral-large', messages: [] }).expect(424);
    const calls = 'tenkey_calls_total{provider="openai",outcome="completed"}';
    await until(async () => Object.keys(await query(calls)).length === 3, 'the scrapes', 30_000);
    await until(async () => Object.keys(await query('up')).length === 4, 'the refused scrape', 30_000);
    const everyWay = { 'super-key': 1, 'sysadmin-key': 1, 'own-port': 1 };
    expect(await query(calls)).toEqual(everyWay);
    expect(await query('tenkey_http_requests_total{status="424"}')).toEqual(everyWay);
    expect(await query('up')).toEqual({ ...everyWay, 'wrong-key': 0 });
  });

  it('understands every expression of the dashboard', async () => {
    const file = join(__dirname, '../../deploy/grafana-dashboard.json');
    const { panels } = JSON.parse(readFileSync(file, 'utf8')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rate = 'rate(tenkey_http_requests_total[30s])';
    await until(async () => Object.keys(await query(rate)).length === 3, 'two scrapes of each job', 30_000);
    const silent: string[] = [];
    for (const expression of expressions) {
      const text = expression
        .replaceAll('$__rate_interval', '30s')
        .replaceAll('$job', '.*')
        .replaceAll('$instance', '.*');
      const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(text)}`);
      const { status, error, data } = (await response.json()) as {
        status: string;
        error?: string;
        data?: { result: unknown[] };
      };
      expect([expression, status, error]).toEqual([expression, 'success', undefined]);
      if (data!.result.length === 0) silent.push(text);
    }
    expect(expressions.length).toBeGreaterThan(40);
    expect(silent.map((text) => /tenkey[a-z_:0-9]+/.exec(text)?.[0]).sort()).toEqual([
      // Prometheus has no rules here, and no credential needs attention.
      'tenkey:own_failures:ratio_rate1h',
      'tenkey_credential_expires_timestamp_seconds',
      'tenkey_credential_rejections',
      'tenkey_encryption_key_loaded',
    ]);
  });
});
