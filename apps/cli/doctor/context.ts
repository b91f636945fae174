import { type DataSource } from 'typeorm';
import { type Config } from '#config';
import { type FernetService } from '#crypto';
import { type Check, type Findings } from './check';

/** Says how far a long check is. */
export type Progress = (check: string, done: string) => void;

/** What the checks of the database work with. */
export interface Context {
  readonly config: Config;
  /** Its transactions are read-only. */
  readonly dataSource: DataSource;
  readonly fernet: FernetService;
  readonly progress: Progress;
}

export interface DatabaseCheck extends Omit<Check, 'run'> {
  run(context: Context): Promise<Findings>;
}
