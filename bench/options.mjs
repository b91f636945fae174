import { parseArgs } from 'node:util';
import { gateways } from './gateways/index.mjs';
import { works } from './work/works.mjs';

const gatewayNames = gateways.map(({ name }) => name);
const workNames = works.map(({ name }) => name);
const extraNames = ['hostile', 'growth', 'processes'];

export const help = `Measures Tenkey against other gateways, on this machine, and writes bench/RESULTS.md and bench/results.svg.

  npm run bench                  at most 20 minutes: direct, bare, smg, Portkey and Tenkey; small chat, a stream of
                                 400 chunks and a 1 MB body; hostile bodies
  npm run bench -- --full        everything, in about two hours. Each measurement is kept as it is made, so a run
                                 that was stopped continues where it was
  npm run bench -- --only tenkey,bare --work small-chat --rounds 2 --seconds 3
                                 a quick look: prints the report and writes no file

  --full                 all gateways, all work, hostile bodies, growth and many processes
  --fresh                with --full: starts again from the beginning
  --only <names>         gateways, comma-separated: ${gatewayNames.join(', ')}
  --work <names>         kinds of work: ${workNames.slice(0, 5).join(', ')},
                         ${workNames.slice(5).join(', ')}
  --extra <names>        further parts: ${extraNames.join(', ')}, none
  --connections <list>   numbers of connections (1,16,64)
  --rounds <n>           rounds (5)
  --seconds <n>          how long each measurement lasts (3, with --full 4)
  --warm-up <n>          how long each gateway is warmed up for each kind of work, in seconds (12)
  --gateway-core <n>     the core that the gateway has for itself (the first one)
  --write                writes the files after a quick look too
  --help                 prints this text

The gateway runs alone on one core. The mock provider, the load generator and PostgreSQL share the others. Stop what else
runs on the machine: a measurement whose core was not its own is thrown away and repeated.

The packages that are compared are installed in bench/ on the first run (npm ci), and those of PyPI in bench/data. nginx is
used if it is installed. The report says what was left out and why.
`;

/** Throws an Error whose message says how to correct the arguments. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string' },
      work: { type: 'string' },
      extra: { type: 'string' },
      connections: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      'gateway-core': { type: 'string' },
    },
  });
  const { full, only, work } = values;
  const narrowing = ['only', 'work', 'extra', 'connections', 'rounds', 'seconds', 'warm-up'];
  const isLook = narrowing.some((name) => values[name] !== undefined);
  const limited = !full && only === undefined;
  const defaultExtras = full ? 'hostile,growth,processes' : isLook ? 'none' : 'hostile';
  return {
    help: values.help,
    full,
    fresh: values.fresh,
    writes: !isLook || values.write,
    isLook,
    gateways: namesOf(
      '--only',
      only,
      gatewayNames,
      limited ? without(gatewayNames, 'nginx', 'litellm') : gatewayNames,
    ),
    works: namesOf('--work', work, workNames, full ? workNames : ['small-chat', 'sse-400', 'image-1m']),
    extras: namesOf('--extra', values.extra ?? defaultExtras, [...extraNames, 'none'], []),
    connections: (values.connections ?? '1,16,64').split(',').map((each) => numberOf('--connections', each)),
    rounds: numberOf('--rounds', values.rounds ?? '5'),
    seconds: numberOf('--seconds', values.seconds ?? (full ? '4' : '3')),
    warmUp: numberOf('--warm-up', values['warm-up'] ?? '12'),
    gatewayCore:
      values['gateway-core'] === undefined
        ? undefined
        : numberOf('--gateway-core', values['gateway-core'], 0),
  };
}

const without = (names, ...left) => names.filter((name) => !left.includes(name));

function namesOf(option, text, known, fallback) {
  if (text === undefined) return fallback;
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => !known.includes(name))) {
    throw new Error(`${option} must be a comma-separated list of: ${known.join(', ')}.`);
  }
  // In the order in which they are known, whatever the order of the argument.
  return known.filter((name) => names.includes(name));
}

function numberOf(option, text, least = 1) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`${option} must be a whole number of at least ${least}.`);
  return number;
}
