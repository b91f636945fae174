import { auditFindings, AuditLogService, retentionFindings } from '#audit';
import { registryFindings } from '#cache';
import {
  countByProvider,
  endpointFindings,
  keyFindings,
  loadFormerKeys,
  sealFindings,
  slotFindings,
  verificationFindings,
} from '#credentials';
import { counted, type Finding, warning } from '#database';
import { AddressPolicy } from '#egress';
import { tenantFindings } from '#tenants';
import { usageFindings } from '#usage';
import { type Settings } from '../settings';
import { type DatabaseCheck } from './context';
import { catalogueProviders } from './settings-checks';

/** The checks of what is stored, in their order. */
export function rowChecks(settings: Settings): readonly DatabaseCheck[] {
  return [
    {
      name: 'encryption keys',
      async run({ dataSource, fernet }) {
        const { sealingKeyId, formerKeys, findings } = await dataSource.transaction((transaction) =>
          keyFindings(transaction, fernet),
        );
        const sealing = sealingKeyId === undefined ? 'nothing is sealed yet' : `${sealingKeyId} seals`;
        return { text: `${sealing}; ${counted(formerKeys, 'former key')}`, findings };
      },
    },
    {
      name: 'seals',
      async run({ dataSource, fernet, progress }) {
        const onPage = (rows: number) => progress('seals', `${rows} credentials read`);
        const { rows, findings } = await dataSource.transaction((transaction) =>
          sealFindings(transaction, fernet, { onPage }),
        );
        return {
          text: `all fit: ${rows.live} live, ${rows.staged} staged and ${rows.previous} previous credentials`,
          findings,
        };
      },
    },
    {
      name: 'slots',
      async run({ dataSource, config }) {
        const findings = await dataSource.transaction((transaction) =>
          slotFindings(transaction, config.credentialRollbackHours),
        );
        return { text: 'each version is stored once, and no previous credential is kept too long', findings };
      },
    },
    {
      name: 'endpoints',
      async run({ dataSource, config }) {
        const policy = new AddressPolicy({
          allow: config.egressAllow,
          privateAddresses: config.egressPrivate,
          ownPort: () => config.port,
        });
        const findings = await dataSource.transaction((transaction) => endpointFindings(transaction, policy));
        return { text: 'the address policy allows all that are stored', findings };
      },
    },
    {
      name: 'providers',
      async run({ dataSource }) {
        const providers = await catalogueProviders(settings);
        if (providers === undefined)
          return { text: 'cannot be compared with a model catalogue that has faults' };
        const counts = await dataSource.transaction(countByProvider);
        const known = new Set(providers.all.map(({ id }) => id));
        const findings = [...counts].flatMap(([provider, count]): Finding[] => {
          if (known.has(provider)) return [];
          return [
            warning(
              `${counted(count, 'credential is', 'credentials are')} for ${provider}, which is no provider and which the model catalogue does not declare`,
              'Declare it again under providers in the model catalogue, or delete the credentials.',
            ),
          ];
        });
        findings.push(...(await dataSource.transaction(verificationFindings)));
        return { text: `${counted(counts.size, 'provider has', 'providers have')} credentials`, findings };
      },
    },
    {
      name: 'audit',
      async run({ dataSource, fernet, config, progress }) {
        await dataSource.transaction((transaction) => loadFormerKeys(transaction, fernet));
        const { events, faults } = await new AuditLogService(dataSource, fernet).verify(undefined, (read) =>
          progress('audit', `${read} events read`),
        );
        const findings = [...auditFindings(faults), ...retentionFindings(faults, config.auditRetentionDays)];
        return { text: `the chain of ${counted(events, 'event')} is whole`, findings };
      },
    },
    {
      name: 'tenants',
      async run({ dataSource }) {
        const findings = await dataSource.transaction(tenantFindings);
        return { text: 'each is as its last audit event says', findings };
      },
    },
    {
      name: 'usage',
      async run({ dataSource, config, progress }) {
        const { days, records, findings } = await dataSource.transaction((transaction) =>
          usageFindings(transaction, config.usageRetentionDays, (read) =>
            progress('usage', `${read} days compared`),
          ),
        );
        return {
          text: `the sums of ${counted(days, 'day')} fit their records (${records} are kept)`,
          findings,
        };
      },
    },
    {
      name: 'processes',
      async run({ dataSource, fernet }) {
        const { sealingKeyId } = await dataSource.transaction((transaction) =>
          keyFindings(transaction, fernet),
        );
        const { processes, findings } = await registryFindings(dataSource, sealingKeyId);
        return { text: `${counted(processes, 'process is', 'processes are')} registered`, findings };
      },
    },
  ];
}
