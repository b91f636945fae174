import { type Command } from 'commander';
import { type ProcessListResponse } from '#model-routing';
import { type Cell, type Columns } from '../../output';
import { type Settings } from '../../settings';
import { remoteCommand } from '../remote-command';

type Process = ProcessListResponse['items'][number];

const columns: Columns<Process> = {
  id: ({ id }) => id,
  responds: ({ is_this: isThis }) => (isThis ? 'yes' : ''),
  registered_at: (process) => process.registered_at,
  renewed_at: (process) => process.renewed_at,
  lease_seconds: (process) => process.lease_seconds,
  renewals: (process) => process.renewals,
  changes_behind: (process) => process.changes_behind,
  silent: ({ is_silent: isSilent }) => inWords(isSilent),
  sealing_key: ({ has_sealing_key: hasKey }) => inWords(hasKey),
  encryption_keys: (process) => process.encryption_key_ids.join(' '),
  seal_form: (process) => process.seal_form,
};

export function processesCommand(settings: Settings): Command {
  return remoteCommand(settings, {
    name: 'processes',
    scope: 'readiness:read',
    description:
      'List the processes of Tenkey on this database, with their leases and encryption keys, and say which are silent.',
    hasCsv: true,
    notes: `A process that is silent no longer renews its registration: it was killed, hangs, or cannot reach the database. The next
change waits until its lease has expired, and removes it. "sealing key" says whether a process has the encryption key
that seals; without it, it cannot open what is sealed. What cannot be told is empty.`,
    examples: ['processes', 'processes --json'],
    run: async ({ api, print }) => {
      await print.list([await api.get<ProcessListResponse>('/processes')], ({ items }) => items, columns);
    },
  });
}

function inWords(fact: boolean | null): Cell {
  return fact === null ? null : fact ? 'yes' : 'no';
}
