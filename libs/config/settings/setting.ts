import { type Kind } from './kinds';

/** The sections of .env.example and of docs/settings.md, in their order. */
export const sections = {
  keys: 'Keys of Tenkey',
  mode: 'Mode',
  replacement: 'Replacing a credential',
  service: 'Service',
  monitoring: 'Metrics and traces',
  database: 'Database',
  addresses: 'Endpoints of tenants',
  calls: 'Calls to providers',
} as const;

export interface Setting<T = unknown> {
  /** The variable. */
  readonly name: string;
  readonly section: keyof typeof sections;
  readonly kind: Kind<T>;
  /** Parsed when the variable is not set. Absent: the value is then undefined. */
  readonly default?: string;
  /** Replaces `default` with NODE_ENV=production. */
  readonly productionDefault?: string;
  /** The end of each fault: what to do. Absent: the rule of the kind says it. */
  readonly fix?: string;
  readonly description: string;
  /** True when only the test suite reads it. */
  readonly isTestOnly?: true;
}
