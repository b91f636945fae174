import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { superKey } from '../support/app';
import { until } from '../support/until';
import { type ServiceProcess } from './service-processes';

const MIB = 2 ** 20;
/** Connections to the database and for requests of the test. */
const SPARE_FILES = 30;

/** What a process holds at one moment. */
export interface Sample {
  readonly residentMiB: number;
  readonly openFiles: number;
  /** The 99th percentile since the sample before. */
  readonly loopDelayMs: number;
  /** Calls that have not ended. */
  readonly inFlight: number;
}

async function metricsOf(service: ServiceProcess): Promise<(name: string) => number> {
  const response = await request(`${service.base}/api/v1/sysadmin/metrics`, {
    headers: { 'x-api-key': superKey },
    headersTimeout: 5000,
  });
  const metrics = await response.body.text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

/** The value of a metric without labels. */
export async function metricOf(service: ServiceProcess, name: string): Promise<number> {
  return (await metricsOf(service))(name);
}

export async function sampleOf(service: ServiceProcess): Promise<Sample> {
  const folder = `/proc/${service.child.pid}`;
  const valueOf = await metricsOf(service);
  return {
    residentMiB: Number(/VmRSS:\s+(\d+)/.exec(await readFile(`${folder}/status`, 'utf8'))![1]) / 1024,
    openFiles: (await readdir(`${folder}/fd`)).length,
    loopDelayMs: valueOf('nodejs_eventloop_lag_p99_seconds') * 1000,
    inFlight: valueOf('tenkey_calls_in_flight'),
  };
}

/** The memory of a process after garbage collection. Between two collections it grows by tens of MiB. */
export interface Memory {
  readonly atMs: number;
  /** On the heap and outside it. */
  readonly usedMiB: number;
  readonly residentMiB: number;
}

/** The `preload` of a process whose memory is measured. */
export const collecting = join(__dirname, 'collect.cjs');

export async function memoryOf({ child }: ServiceProcess): Promise<Memory> {
  const answered = once(child, 'message');
  child.send({});
  const [{ used, resident }] = (await answered) as [{ used: number; resident: number }];
  return { atMs: performance.now(), usedMiB: used / MIB, residentMiB: resident / MIB };
}

/** Waits until nothing of the calls is left. @returns the memory that is then in use, in MiB */
export async function whenIdle(service: ServiceProcess, filesBefore: number): Promise<number> {
  const isIdle = async () => {
    const { inFlight, openFiles } = await sampleOf(service);
    return inFlight === 0 && openFiles <= filesBefore + SPARE_FILES;
  };
  await until(isIdle, 'no call is in flight, and no connection is left');
  return (await memoryOf(service)).usedMiB;
}

export interface Growth {
  /** By least squares. */
  readonly perHour: number;
  /** The medians of the first third and of the last. */
  readonly first: number;
  readonly last: number;
}

export function growthOf(memory: readonly Memory[], of: (each: Memory) => number): Growth {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hours = memory.map(({ atMs }) => atMs / 3_600_000);
  const values = memory.map(of);
  const [middle, level] = [mean(hours), mean(values)];
  const covariance = mean(hours.map((hour, index) => (hour - middle) * (values[index]! - level)));
  const variance = mean(hours.map((hour) => (hour - middle) ** 2));
  const third = Math.max(1, Math.floor(values.length / 3));
  const median = (part: readonly number[]) => [...part].sort((a, b) => a - b)[Math.floor(part.length / 2)]!;
  return {
    perHour: covariance / variance,
    first: median(values.slice(0, third)),
    last: median(values.slice(-third)),
  };
}
