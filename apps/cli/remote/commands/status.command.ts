import { type Command } from 'commander';
import { type EncryptionResponse } from '#credentials';
import { exitCodes } from '../../command-line';
import { jsonLine, styled, visible } from '../../output';
import { type Settings } from '../../settings';
import { expiryOf } from './readiness.command';
import { remoteCommand } from '../remote-command';
import { type NotShown, type ReadinessTotals, statusReport, type StatusReport } from './status-report';

/** How many credentials that expire are named one by one. */
const NAMED = 5;

/** A fact about the service, and what to do about it if it needs attention. */
interface Line {
  readonly title: string;
  readonly fact: string;
  /** Calls fail because of it, or soon will. */
  readonly attention?: 'fails' | 'soon';
  readonly toDo?: string;
}

export function statusCommand(settings: Settings): Command {
  return remoteCommand(settings, {
    name: 'status',
    scope: 'none',
    description:
      'Show on one screen whether Tenkey works: what it serves, what fails, and what to do about it.',
    notes: `The report combines /ready, readiness, encryption and today's usage (UTC). Credentials are those of
providers that the model catalogue uses. What the key may not see is named and left out, and does not count in the exit code. The report about tenants needs
the scope readiness:read.
The exit code is 1 if calls fail; for a key that expires soon it is 0.`,
    examples: ['status', 'status --json'],
    run: async ({ api, options }) => {
      const report = await statusReport(api);
      const lines = linesOf(report);
      if (options.json) process.stdout.write(jsonLine(report));
      else {
        const width = Math.max(...lines.map(({ title }) => title.length));
        process.stdout.write(lines.map((line) => inText(line, width)).join(''));
      }
      if (lines.some(({ attention }) => attention === 'fails')) process.exitCode = exitCodes.fault.code;
    },
  });
}

function inText({ title, fact, attention, toDo }: Line, width: number): string {
  const style = { fails: 'red', soon: 'yellow', none: 'reset' } as const;
  const shownFact = visible(fact);
  return [
    `${title.padEnd(width)}  ${attention ? styled(style[attention], shownFact) : shownFact}`,
    ...(toDo === undefined ? [] : [`${''.padEnd(width)}  -> ${visible(toDo)}`]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf({ version, ready, encryption, readiness, usage_today: usage }: StatusReport): Line[] {
  const isReady = ready.status === 'ready';
  return [
    { title: 'version', fact: version ?? 'not shown' },
    { title: 'mode', fact: ready.mode },
    {
      title: 'ready',
      fact: isReady ? 'yes' : `no (database: ${ready.database})`,
      ...(!isReady && { attention: 'fails', toDo: ready.reason ?? 'Look at the log.' }),
    },
    {
      title: 'catalogue',
      fact: `${ready.models} models${ready.catalogue === 'stale' ? ', of an earlier version of the file' : ''}`,
      ...(ready.catalogue === 'stale' && {
        attention: 'soon',
        toDo: `Correct the file, which npx tenkey models check tests: ${ready.catalogue_reason ?? ''}`,
      }),
    },
    {
      title: 'receipts',
      fact: ready.receipts,
      ...(ready.receipts === 'off' && { toDo: 'Calls get receipts when ENCRYPTION_KEY is set.' }),
    },
    ...encryptionLines(encryption),
    ...readinessLines(readiness),
    ...('not_shown' in usage
      ? [notShown('calls today', usage)]
      : [
          {
            title: 'calls today',
            fact: `${usage.total.calls}, ${usage.total.failed} without a response`,
            ...(usage.lost_calls > 0 && {
              attention: 'soon' as const,
              toDo: `${usage.lost_calls} calls are not recorded. Look at the log, and whether the database is available.`,
            }),
          },
        ]),
  ];
}

function encryptionLines(encryption: EncryptionResponse | NotShown): Line[] {
  if ('not_shown' in encryption) return [notShown('encryption', encryption)];
  const { keys, processes, rotation, older_seals: olderSeals } = encryption;
  const rowsOf = ({ rows }: EncryptionResponse['keys'][number]) =>
    rows.live + rows.staged + rows.previous + rows.signing_keys;
  const sealing = keys.find(({ seals }) => seals);
  const others = keys.filter((key) => key !== sealing && rowsOf(key) > 0);
  const lost = others.filter(({ loaded }) => !loaded);
  const isRunning = rotation !== null && rotation.state !== 'finished';
  const toRotate = others.length > 0 || olderSeals > 0;
  const total = (of: typeof keys) => of.reduce((sum, key) => sum + rowsOf(key), 0);
  return [
    { title: 'processes', fact: String(processes) },
    {
      title: 'encryption',
      fact: sealing ? `${sealing.key_id} seals, ${rowsOf(sealing)} rows under it` : 'no key seals',
    },
    ...(isRunning
      ? [
          {
            title: '',
            fact: `a rotation is ${rotation.state}: ${rotation.resealed} of ${rotation.total} rows`,
          },
        ]
      : []),
    ...(sealing && sealing.processes < processes
      ? [
          {
            title: '',
            fact: `${processes - sealing.processes} of ${processes} processes do not have this key`,
            attention: 'fails' as const,
            toDo: 'Start them again with the key that seals in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS.',
          },
        ]
      : []),
    ...(lost.length > 0
      ? [
          {
            title: '',
            fact: `${total(lost)} rows are sealed under ${lost.map((key) => key.key_id).join(', ')}, which is not loaded`,
            attention: 'fails' as const,
            toDo: 'Add the key to ENCRYPTION_KEY_PREVIOUS; if it is lost, npx tenkey encryption status --missing names what must be entered again.',
          },
        ]
      : []),
    ...(toRotate && lost.length < others.length + (olderSeals > 0 ? 1 : 0)
      ? [
          {
            title: '',
            fact: `${total(others) - total(lost) + olderSeals} rows are sealed under an earlier key or in an older form`,
            toDo: 'npx tenkey encryption rotate seals them again, with the settings of the service.',
          },
        ]
      : []),
  ];
}

function readinessLines(readiness: ReadinessTotals | NotShown): Line[] {
  if ('not_shown' in readiness) return [notShown('tenants', readiness)];
  const { tenants, credentials, blockers, breaking, expiring } = readiness;
  const named = expiring.slice(0, NAMED).map((warning): Line => {
    const { name, provider, masked_key: mask, contact_email: email } = warning;
    return {
      title: '',
      fact: `${name} ${provider} ${mask} ${expiryOf(warning)}`,
      attention: 'soon',
      toDo: `Get a new key${email === null ? '' : ` from ${email}`}, and npx tenkey credentials stage ${/^[\w.-]+$/.test(name) ? name : warning.tenant_id} ${provider}`,
    };
  });
  return [
    { title: 'tenants', fact: countsOf(tenants) },
    { title: 'credentials', fact: countsOf(credentials) },
    ...blockers.map((blocker): Line => ({
      title: '',
      fact: 'all calls fail',
      attention: 'fails',
      toDo: blocker,
    })),
    ...(breaking > 0
      ? [
          {
            title: '',
            fact: `calls fail for ${breaking} ${breaking === 1 ? 'pair' : 'pairs'} of tenant and provider`,
            attention: 'fails' as const,
            toDo: 'npx tenkey readiness names them, with the fix.',
          },
        ]
      : []),
    ...named,
    ...(expiring.length > NAMED
      ? [
          {
            title: '',
            fact: `${expiring.length - NAMED} more keys have expired or expire soon`,
            attention: 'soon' as const,
            toDo: 'npx tenkey readiness names them.',
          },
        ]
      : []),
  ];
}

/** A number for each word, and their sum. */
function countsOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} ${word}`);
  const sum = Object.values(counts).reduce((total, count) => total + count, 0);
  return parts.length === 0 ? 'none' : `${sum}: ${parts.join(', ')}`;
}

function notShown(title: string, { not_shown: reason }: NotShown): Line {
  return { title, fact: `not shown: ${reason.split('\n', 1)[0] ?? ''}` };
}
