// Prints the types of the console's requests from the OpenAPI document.
//   node apps/console/print-types.cjs                  writes src/api/schema.ts; needs a build
//   node apps/console/print-types.cjs document.json    prints the types of this document
const { spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { format, resolveConfig } = require('prettier');

const root = join(__dirname, '../..');
const file = join(__dirname, 'src/api/schema.ts');

void main();

async function main() {
  const { default: openapi, astToString } = require('openapi-typescript');
  const [document] = process.argv.slice(2);
  const read =
    document === undefined ? await documentOfService() : JSON.parse(readFileSync(document, 'utf8'));
  strip(read);
  const types = astToString(await openapi(read, { excludeDeprecated: true, rootTypes: false }));
  const head = '// Printed from the OpenAPI document by `npm run console-types`: do not edit.\n';
  const text = await format(head + types, { ...(await resolveConfig(file)), parser: 'typescript' });
  if (document === undefined) writeFileSync(file, text);
  else process.stdout.write(text);
}

/**
 * Leaves what the console needs: the sysadmin API without the texts, and only the responses to requests that succeed, because the
 * console throws every other one.
 */
function strip(read) {
  const isCalled = (path) => path.startsWith('/api/v1/sysadmin/') || path === '/ready';
  read.paths = Object.fromEntries(Object.entries(read.paths).filter(([path]) => isCalled(path)));
  for (const item of Object.values(read.paths)) {
    for (const operation of Object.values(item)) {
      for (const status of Object.keys(operation.responses))
        if (!status.startsWith('2')) delete operation.responses[status];
    }
  }
  const withoutTexts = (node, name) => {
    if (typeof node !== 'object' || node === null) return;
    // A property may have one of these names.
    if (name !== 'properties')
      for (const text of ['description', 'summary', 'title', 'example']) delete node[text];
    for (const [key, value] of Object.entries(node)) withoutTexts(value, key);
  };
  withoutTexts(read.paths);
  withoutTexts(read.components);
  const used = new Set();
  const use = (node) => {
    if (typeof node !== 'object' || node === null) return;
    const name = /^#\/components\/schemas\/(.+)$/.exec(node.$ref ?? '')?.[1];
    if (name !== undefined && !used.has(name)) use(read.components.schemas[name], used.add(name));
    Object.values(node).forEach(use);
  };
  use(read.paths);
  for (const name of Object.keys(read.components.schemas))
    if (!used.has(name)) delete read.components.schemas[name];
}

/** Starts the service on an empty database of its own, and reads its document. */
async function documentOfService() {
  const directory = mkdtempSync(join(tmpdir(), 'tenkey-types-'));
  const service = spawn(process.execPath, [join(root, 'dist/apps/api/main.js')], {
    cwd: directory,
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stopped = new Promise((resolve) => service.once('close', resolve));
  try {
    let log = '';
    for await (const part of service.stdout) {
      log += part;
      const [, address] = /listening on (http:\/\/[^" ]+)/.exec(log) ?? [];
      if (address !== undefined) return await (await fetch(`${address}/docs/openapi.json`)).json();
    }
    throw new Error(`The service did not start:\n${log}`);
  } finally {
    service.kill('SIGTERM');
    await stopped;
    rmSync(directory, { recursive: true, force: true });
  }
}
