import { type Command, Option } from 'commander';
import { type UsageRecordPageResponse } from '#usage';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { atMost, remoteCommand } from '../remote-command';

type Call = UsageRecordPageResponse['items'][number];

const columns: Columns<Call> = {
  at: (call) => call.at,
  tenant_name: (call) => call.tenant_name,
  model: (call) => call.model,
  outcome: (call) => call.outcome,
  status: (call) => call.status,
  source: (call) => call.source,
  provider: (call) => call.provider,
  key: (call) => call.mask,
  version: (call) => call.version,
  input_tokens: (call) => call.input_tokens,
  output_tokens: (call) => call.output_tokens,
  total_ms: (call) => call.total_ms,
  request_id: (call) => call.request_id,
  tenant_id: (call) => call.tenant_id,
};

interface CallsOptions {
  readonly tenant?: string;
  readonly request?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

export function callsCommand(settings: Settings): Command {
  return remoteCommand<CallsOptions>(settings, {
    name: 'calls',
    scope: 'usage:read',
    description: 'List calls, newest first: what each reached, and whose key paid for it.',
    options: [
      new Option('--tenant <tenant>', 'only calls of the tenant with this id or exact name'),
      new Option('--request <id>', 'only the call whose response had this id in x-tenkey-request-id'),
      new Option('--since <time>', 'only calls from this day or time on, such as 2030-01-31'),
      new Option('--until <time>', 'only calls before this day or time'),
      atMost('calls'),
    ],
    hasCsv: true,
    notes: `A call is listed within two seconds after its end, for as long as USAGE_RETENTION_DAYS says. The source of its key is
the tenant or the global keys. --json has all fields of a call.`,
    examples: [
      'calls --request 0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10',
      'calls --tenant sundsvall --limit 1000 --csv',
    ],
    run: async ({ api, print, options: { tenant, request, limit, since, until } }) => {
      const tenantId = tenant === undefined ? undefined : await api.tenantId(tenant);
      const query = { tenant_id: tenantId, request_id: request, since, until };
      const pages = api.newest<UsageRecordPageResponse>('/usage/records', query, limit);
      await print.list(pages, ({ items }) => items, columns);
    },
  });
}
