// Does Tenkey become slower with the number of its tenants, and what do changes cost with one and with three processes?
import { newKeys, startTenkey, sysadminHeaders, sysadminPrefix } from '../gateways/tenkey.mjs';
import { requestBytes, works } from '../work/works.mjs';

const SIZES = [1, 1_000, 100_000];
const SECONDS = 4;
/** So many tenants make calls. The others are only there. */
const CALLERS = 100;
const PUT_CONNECTIONS = 16;

export async function measureGrowth({ state, say, ...context }) {
  state.growth ??= await growthOf(context, say);
  state.save();
  state.puts ??= [await putsWith(1, context, say), await putsWith(3, context, say)];
  state.save();
}

async function growthOf(context, say) {
  const databaseUrl = await context.database.create('growth');
  const keys = newKeys();
  const start = (settings) => startTenkey({ ...context, databaseUrl, keys, settings });
  const cached = await start({});
  context.stops.push(cached.process.stop);
  // Without a cache each call reads the database, which shows what a call costs that finds nothing in the cache.
  const reading = await start({ CACHE_LEASE_SECONDS: '0' });
  context.stops.push(reading.process.stop);
  const tenants = [await cached.newTenant('caller-0')];
  const rows = [];
  for (const size of SIZES) {
    const missing = Math.min(size, CALLERS) - tenants.length;
    for (let count = 0; count < missing; count += 1) {
      tenants.push(await cached.newTenant(`caller-${tenants.length}`));
    }
    await fillUp(context.database, size);
    const row = { tenants: size };
    for (const [name, service, requests] of kindsOf(cached, reading, tenants)) {
      row[name] = await medianOf(context.load, service, requests);
    }
    say(`${size} tenants, median ms: ${JSON.stringify(row)}`);
    rows.push(row);
  }
  await cached.process.stop();
  await reading.process.stop();
  return rows;
}

function kindsOf(cached, reading, tenants) {
  const [{ path, body }] = works;
  const calls = tenants.map(({ key }) =>
    requestBytes({ path: `/v1${path}`, headers: { authorization: `Bearer ${key}` }, body }),
  );
  const get = (target) =>
    requestBytes({
      method: 'GET',
      path: `${sysadminPrefix}${target}`,
      headers: sysadminHeaders(cached.keys),
    });
  return [
    ['call', cached, calls],
    ['callWithoutCache', reading, calls],
    ['listCredentials', cached, tenants.map(({ id }) => get(`/tenants/${id}/credentials`))],
    ['listTenants', cached, [get('/tenants')]],
  ];
}

async function medianOf(load, { port }, requests) {
  const job = { targets: [{ host: '127.0.0.1', port }], requests, connections: 1, seconds: SECONDS };
  await load.run(job);
  const { latency, failures } = await load.run(job);
  if (Object.keys(failures).length > 0) throw new Error(`Requests failed: ${JSON.stringify(failures)}.`);
  return latency.p50;
}

/**
 * Adds tenants until there are `size`. They are written in SQL, since the API would need minutes: their credentials and keys are
 * copies of those of the first tenant, sealed for it and so of no use, but as large as any.
 */
async function fillUp(database, size) {
  const [{ count }] = await database.query('growth', 'select count(*)::integer as count from tenants');
  if (count < size) {
    const copyOf = (table, changed) => `
      insert into ${table}
      select (jsonb_populate_record(null::${table}, to_jsonb(first) || ${changed})).*
      from added cross join (select * from ${table} where tenant_id = (select id from tenants where name = 'caller-0')) first`;
    await database.query(
      'growth',
      `begin;
      create temporary table added as
        select gen_random_uuid() as id, 'filler-' || number as name from generate_series(${count + 1}, ${size}) number;
      insert into tenants (id, name) select id, name from added;
      ${copyOf('tenant_credentials', `jsonb_build_object('tenant_id', added.id)`)};
      ${copyOf('tenant_keys', `jsonb_build_object('tenant_id', added.id, 'id', gen_random_uuid())`)};
      drop table added;
      commit;
      analyze`,
    );
  }
}

/** All processes share the gateway's core, so three can only be faster where one would wait. */
async function putsWith(processes, context, say) {
  const databaseUrl = await context.database.create('puts');
  const keys = newKeys();
  const services = [];
  for (let count = 0; count < processes; count += 1) {
    const service = await startTenkey({ ...context, databaseUrl, keys });
    context.stops.push(service.process.stop);
    services.push(service);
  }
  const requests = [];
  for (let count = 0; count < PUT_CONNECTIONS; count += 1) {
    const { id } = await services[0].newTenant(`tenant-${count}`);
    const path = `${sysadminPrefix}/tenants/${id}/credentials/openai`;
    const body = JSON.stringify({ api_key: `not-a-real-key-${count}-0123456789` });
    requests.push(requestBytes({ method: 'PUT', path, headers: sysadminHeaders(keys), body }));
  }
  const targets = services.map(({ port }) => ({ host: '127.0.0.1', port }));
  const job = { targets, requests, connections: PUT_CONNECTIONS, seconds: SECONDS };
  await context.load.run(job);
  const { calls, seconds, latency, failures } = await context.load.run(job);
  for (const service of services) await service.process.stop();
  const result = { processes, rate: calls / seconds, ...latency, failures };
  say(`PUT with ${processes} processes: ${result.rate.toFixed(0)}/s, p50 ${latency.p50?.toFixed(1)} ms`);
  return result;
}
