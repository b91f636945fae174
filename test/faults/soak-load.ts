import { randomUUID } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import { platformKey } from '../support/app';
import { type ServiceProcess, type Services } from './service-processes';
import { type SoakTenant } from './soak-tenant';

/** A call that is answered later than this hangs. Longer than every time limit on its way. */
const HUNG_MS = 30_000;
const LEFT_IN = 0.02;
const SLOW_IN = 0.01;
/** How many parts of a message a streamed answer repeats. */
const prompt = 'tell me more about it '.repeat(8);

type Kind = 'whole' | 'streamed' | 'left' | 'slow';

/** The calls of several tenants to several processes, and what went wrong with them. */
export class SoakLoad {
  calls = 0;
  answered = 0;
  /** Calls whose client left. */
  left = 0;
  slow = 0;
  hung = 0;
  /** Calls that the provider received. */
  received = 0;
  /** What must not happen, in words. Only the first ones are kept. */
  readonly wrong: string[] = [];
  wrongs = 0;
  /** Calls that failed, by what was said. */
  readonly failed = new Map<string, number>();
  /** The duration of calls that neither were left nor read slowly, in microseconds. */
  readonly durations = createHistogram();
  /** Set while calls may be refused because the database is unavailable; its end is known later. */
  outage = { from: Infinity, until: Infinity };
  readonly #agent = new Agent({ headersTimeout: HUNG_MS, bodyTimeout: HUNG_MS });

  constructor(
    private readonly services: Services,
    private readonly tenants: readonly SoakTenant[],
    private readonly random: () => number,
  ) {}

  /** A call of any tenant to any process. */
  async call(): Promise<void> {
    const share = this.random();
    const usual = share < 0.5 ? 'whole' : 'streamed';
    const kind = share < LEFT_IN ? 'left' : share > 1 - SLOW_IN ? 'slow' : usual;
    const tenant = this.tenants[Math.floor(this.random() * this.tenants.length)]!;
    const service = this.services.all[Math.floor(this.random() * this.services.all.length)]!;
    const text = `${randomUUID()} ${prompt}`;
    const mayUse = tenant.begin();
    const started = performance.now();
    this.calls += 1;
    const said = await this.#send(kind, tenant, service, text).catch((error: NodeJS.ErrnoException) =>
      kind === 'left' && error.name === 'AbortError' ? 'left' : (error.code ?? error.message),
    );
    const key = this.services.receivedKey(text);
    if (key !== undefined) this.received += 1;
    if (key !== undefined && !mayUse(key))
      this.#note(`a call used a key that was replaced before, and ended with ${said}`);
    if (said === 'left') return void (this.left += 1);
    if (said === 'done') {
      this.answered += 1;
      if (kind === 'slow') this.slow += 1;
      else this.durations.record(Math.max(1, Math.round((performance.now() - started) * 1000)));
      if (key === undefined) this.#note('a call was answered that the provider did not receive');
      return;
    }
    this.failed.set(said, (this.failed.get(said) ?? 0) + 1);
    if (said.startsWith('UND_ERR_')) this.hung += 1;
    const isOut = started < this.outage.until && performance.now() > this.outage.from;
    const isExplained =
      (said === 'credential_not_configured' && mayUse(undefined)) ||
      (said === 'credential_store_unavailable' && isOut);
    if (!isExplained) this.#note(`a call (${kind}) ended with ${said}`);
  }

  /** Resolves when `calls` of them ran at a time for so long. @returns how many were answered each second */
  async capacity(atATime: number, ms: number): Promise<number> {
    const end = performance.now() + ms;
    const before = this.answered;
    const caller = async () => {
      while (performance.now() < end) await this.call();
    };
    await Promise.all(Array.from({ length: atATime }, caller));
    return ((this.answered - before) * 1000) / ms;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** @returns `done`, or the code of the error */
  async #send(kind: Kind, tenant: SoakTenant, service: ServiceProcess, text: string): Promise<string> {
    const leaving = kind === 'left' ? new AbortController() : undefined;
    if (leaving) setTimeout(() => leaving.abort(), this.random() * 20);
    const stream = kind !== 'whole';
    const response = await this.#agent.request({
      origin: service.base,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'x-api-key': platformKey, 'x-tenant-id': tenant.id, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: text }] }),
      signal: leaving?.signal,
    });
    if (kind === 'slow') await wait(500 + this.random() * 2000);
    const body = await response.body.text();
    if (response.statusCode !== 200) {
      const { error } = JSON.parse(body) as { error: { code: string; tenkey_code?: string } };
      return error.tenkey_code ?? error.code;
    }
    const isWhole = stream ? body.endsWith('data: [DONE]\n\n') : JSON.parse(body).choices.length === 1;
    return isWhole ? 'done' : 'a body that is not whole';
  }

  #note(text: string): void {
    this.wrongs += 1;
    if (this.wrong.length < 20) this.wrong.push(text);
  }
}
