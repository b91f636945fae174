// What the kernel says about the machine, its cores and the processes, read from /proc.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** The unit of the times in /proc. It is 100 on every system that Node runs on, and there is no way to ask without a compiler. */
const TICKS_PER_SECOND = 100;

/** A process and its descendants: the CPU time that they have used, in ms, and their resident memory, in MiB. */
export function usageOf(pid) {
  let ticks = 0;
  let kib = 0;
  for (const each of [pid, ...descendantsOf(pid)]) {
    const fields = statOf(each);
    if (fields === undefined) continue;
    // utime, stime, and those of the children that have ended and were waited for.
    for (const index of [11, 12, 13, 14]) ticks += Number(fields[index]);
    kib += residentKib(each);
  }
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, rssMib: kib / 1024 };
}

/** The time that the cores were not idle, in ms: programs, kernel, interrupts, and what the hypervisor took. */
export function busyMsOf(cores) {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  let ticks = 0;
  for (const core of cores) {
    const line = lines.find((each) => each.startsWith(`cpu${core} `));
    const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
    ticks += user + nice + system + irq + softirq + steal;
  }
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** The gateway gets a core of its own; everything else shares the others. */
export function coresOf(gatewayCore) {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = listOfCores(/Cpus_allowed_list:\s*(\S+)/.exec(status)[1]);
  const gateway = gatewayCore ?? allowed[0];
  const others = allowed.filter((core) => core !== gateway);
  if (!allowed.includes(gateway) || others.length === 0) {
    throw new Error(
      `The bench needs core ${gateway} for the gateway and at least one other core; this process may use ${allowed}.`,
    );
  }
  return { gateway, others };
}

/** Moves this process, and with it all that it starts from now on. */
export function pinSelf(cores) {
  const { status, error, stderr } = spawnSync('taskset', ['-acp', cores.join(','), String(process.pid)]);
  if (status !== 0) throw new Error(`taskset failed; it is in Debian's util-linux. ${error ?? stderr}`);
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

function listOfCores(text) {
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function descendantsOf(pid) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(name)?.[1]);
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(Number(name));
  }
  const found = [];
  const visit = (parent) => {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

/** The fields of /proc/<pid>/stat that follow the name, which may itself contain spaces; undefined if the process has ended. */
function statOf(pid) {
  const text = readIfThere(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function residentKib(pid) {
  return Number(/VmRSS:\s*(\d+)/.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
