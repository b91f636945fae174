import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../libs/database/embedded/embedded-postgres';
import { until } from '../support/until';

/** A PostgreSQL server of one test, which the test may stop, kill and freeze. */
export class OwnServer {
  readonly log: string[] = [];

  private server!: EmbeddedPostgres;

  private constructor(private readonly directory: string) {}

  static async start(): Promise<OwnServer> {
    const directory = await mkdtemp(join(tmpdir(), 'tenkey-faults-'));
    // Started by root, the server runs as another user, which needs access to the folder.
    await chmod(directory, 0o755);
    const own = new OwnServer(directory);
    await own.startAgain();
    return own;
  }

  get url(): string {
    return this.server.urlOf('tenkey');
  }

  /** It belongs to the user that the server runs as. */
  get dataFolder(): string {
    return join(this.server.dataDirectory, 'db');
  }

  /** Stops the server as an administrator does. It stays stopped. */
  async stop(): Promise<void> {
    await this.server.stop();
  }

  async startAgain(): Promise<void> {
    const log = (line: string) => void this.log.push(line);
    this.server = await startEmbeddedPostgres({ dataDirectory: this.directory, log });
  }

  /**
   * Kills the server, or stops it in PostgreSQL's immediate mode, in which it writes nothing more. It is started again at once,
   * and recovers.
   */
  async crash(signal: 'SIGKILL' | 'SIGQUIT' = 'SIGKILL'): Promise<void> {
    const revived = () => this.log.filter((line) => line.includes('is running again')).length;
    const earlier = revived();
    const before = await this.postmaster();
    process.kill(before, signal);
    await until(() => revived() > earlier, 'the server is revived');
    if ((await this.postmaster()) === before) throw new Error('the server was not killed');
  }

  /** Stops all processes of the server, so that connections stay open and nothing responds. */
  async freeze(): Promise<void> {
    // The first one first, because it starts the others.
    process.kill(await this.postmaster(), 'SIGSTOP');
    for (const pid of await this.processes()) process.kill(pid, 'SIGSTOP');
    const states = await Promise.all((await this.processes()).map(async (pid) => (await statOf(pid))?.state));
    if (!states.every((state) => state === 'T')) throw new Error('the server was not frozen');
  }

  async thaw(): Promise<void> {
    for (const pid of await this.processes()) process.kill(pid, 'SIGCONT');
  }

  async close(): Promise<void> {
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async postmaster(): Promise<number> {
    const file = join(this.server.dataDirectory, 'db/postmaster.pid');
    return Number((await readFile(file, 'utf8')).split('\n')[0]);
  }

  private async processes(): Promise<number[]> {
    const postmaster = await this.postmaster();
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
    const children = await Promise.all(
      pids.map(async (pid) => ((await statOf(pid))?.parent === postmaster ? [pid] : [])),
    );
    return [postmaster, ...children.flat()];
  }
}

async function statOf(pid: number): Promise<{ state: string; parent: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const match = /\) (\w) (\d+)/.exec(text);
  return match ? { state: match[1]!, parent: Number(match[2]) } : undefined;
}
