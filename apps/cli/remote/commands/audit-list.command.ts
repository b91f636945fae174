import { type Command, Option } from 'commander';
import { type AuditEventPageResponse } from '#audit';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { atMost, remoteCommand } from '../remote-command';

type Event = AuditEventPageResponse['items'][number];

const columns: Columns<Event> = {
  seq: (event) => event.seq,
  at: (event) => event.at,
  actor: (event) => event.actor,
  action: (event) => event.action,
  outcome: (event) => event.outcome,
  provider: (event) => event.provider,
  details: (event) => (Object.keys(event.details).length === 0 ? '' : JSON.stringify(event.details)),
  address: (event) => event.address,
  tenant_id: (event) => event.tenant_id,
};

interface ListOptions {
  readonly tenant?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly actor?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

export function auditListCommand(settings: Settings): Command {
  return remoteCommand<ListOptions>(settings, {
    name: 'list',
    scope: 'audit:read',
    description: 'List audit events, newest first: who changed what, and which attempts were refused.',
    options: [
      new Option('--tenant <tenant>', 'only events of the tenant with this id or exact name'),
      new Option('--action <action>', 'only this action, such as credential.set'),
      new Option('--outcome <outcome>', 'only changes (done) or refused attempts').choices([
        'done',
        'refused',
      ]),
      new Option('--actor <actor>', 'only this actor, as the list shows it'),
      new Option('--since <time>', 'only events from this day or time on, such as 2030-01-31'),
      new Option('--until <time>', 'only events before this day or time'),
      atMost('events'),
    ],
    hasCsv: true,
    examples: [
      'audit list',
      'audit list --outcome refused --since 2030-01-31',
      'audit list --tenant sundsvall --limit 10000 --csv > audit.csv',
    ],
    run: async ({ api, print, options: { tenant, limit, action, outcome, actor, since, until } }) => {
      const tenantId = tenant === undefined ? undefined : await api.tenantId(tenant);
      const query = { tenant_id: tenantId, action, outcome, actor, since, until };
      const pages = api.newest<AuditEventPageResponse>('/audit-events', query, limit);
      await print.list(pages, ({ items }) => items, columns);
    },
  });
}
