import { type Command, Option } from 'commander';
import { type ReadinessPageResponse } from '#model-routing';
import { exitCodes } from '../../command-line';
import { jsonLine, visible } from '../../output';
import { type Settings } from '../../settings';
import { remoteCommand } from '../remote-command';

/** The most tenants that a page of the report has. */
export const READINESS_PAGE = 200;

interface ReadinessOptions {
  readonly mode?: string;
  readonly only?: string;
  readonly provider?: string;
  readonly tenant?: string;
}

export function readinessCommand(settings: Settings): Command {
  return remoteCommand<ReadinessOptions>(settings, {
    name: 'readiness',
    scope: 'readiness:read',
    description:
      'List the tenants and providers whose calls fail, or would fail in strict mode. Calls no provider and decrypts nothing.',
    options: [
      new Option('--mode <mode>', 'strict: report what would break in strict mode').choices(['strict']),
      new Option('--only <part>', 'failing: only what breaks; warning: only what has a warning').choices([
        'failing',
        'warning',
      ]),
      new Option('--provider <provider>', 'only this provider'),
      new Option('--tenant <tenant>', 'only the tenant with this id or exact name'),
    ],
    notes: `A model breaks if it works with the current settings and would fail in the reported mode, or if its credential
cannot be used or was refused by the provider. A provider for which a tenant has no credential breaks nothing, unless the
tenant's expected_providers name it.
With --json, each line is a JSON object for up to ${READINESS_PAGE} tenants.
The exit code is 1 if something breaks, so that a deployment can depend on it.`,
    examples: [
      'readiness',
      'readiness --mode strict --only failing --json',
      'readiness --tenant sundsvall --provider openai',
    ],
    run: async ({ api, options: { json = false, ...filter } }) => {
      let breaking = 0;
      let blockers = 0;
      let isFirst = true;
      for await (const page of api.pages<ReadinessPageResponse>('/readiness', {
        mode: filter.mode,
        only: filter.only,
        provider: filter.provider,
        tenant: filter.tenant,
        limit: READINESS_PAGE,
      })) {
        // Each page is printed at once, so that any number of tenants fits in memory.
        process.stdout.write(json ? jsonLine(page) : inText(page, isFirst));
        isFirst = false;
        breaking += page.breaking;
        blockers = page.blockers.length;
        if (page.next_cursor === null && !json) process.stdout.write(summaryOf(page, breaking));
      }
      if (breaking > 0 || blockers > 0) process.exitCode = exitCodes.fault.code;
    },
  });
}

function inText({ blockers, items, warnings, receipts }: ReadinessPageResponse, isFirst: boolean): string {
  const lines = isFirst ? blockers.map((blocker) => `blocked: ${blocker}`) : [];
  if (isFirst && receipts === 'off') {
    lines.push('note: no ENCRYPTION_KEY, so calls get no receipts and the audit chain has plain hashes');
  }
  for (const { tenant_id: id, name, providers } of items) {
    for (const { provider, breaking_models: models, problem, warnings: surprises } of providers) {
      lines.push(...surprises.map((text) => `warning: ${name} (${id}) ${provider}: ${text}`));
      if (models.length === 0 || !problem) continue;
      lines.push(`${name} (${id}) ${provider}: ${problem.code}: ${models.join(', ')}`);
      if (problem.hint !== undefined) lines.push(`    ${problem.hint}`);
    }
  }
  for (const warning of warnings) {
    const {
      tenant_id: id,
      name,
      provider,
      masked_key: mask,
      expires_at: time,
      contact_email: email,
    } = warning;
    const contact = email === null ? '' : `; contact ${email}`;
    lines.push(`warning: ${name} (${id}) ${provider}: ${mask} ${expiryOf(warning)}, ${time}${contact}`);
  }
  return lines.map((line) => `${visible(line)}\n`).join('');
}

export function expiryOf({ within_days: days }: ReadinessPageResponse['warnings'][number]): string {
  return days === 0 ? 'has expired' : `expires within ${days} ${days === 1 ? 'day' : 'days'}`;
}

function summaryOf(
  { mode, current_mode: current, total, providers }: ReadinessPageResponse,
  breaking: number,
): string {
  const counts = `${total} ${total === 1 ? 'tenant' : 'tenants'}, ${providers.length} providers in use`;
  const modes = mode === current ? `${mode} mode` : `${mode} mode (current: ${current})`;
  return `${counts}, ${modes}: ${breaking === 0 ? 'nothing breaks' : `${breaking} ${breaking === 1 ? 'pair' : 'pairs'} of tenant and provider would break`}\n`;
}
