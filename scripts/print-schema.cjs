// Prints libs/database/migrations/schema.ts from a database that the migrations have just created; needs a build.
require('reflect-metadata');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { format, resolveConfig } = require('prettier');
const { DataSource } = require('typeorm');
const {
  connectAndMigrate,
  dataSourceOptions,
  startEmbeddedPostgres,
} = require('../dist/libs/database/index.js');
const { readSchema } = require('../dist/libs/database/check/schema.js');

void main();

async function main() {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'tenkey-schema-'));
  const log = (message) => console.error(message);
  const embedded = await startEmbeddedPostgres({ dataDirectory, log });
  const dataSource = new DataSource(dataSourceOptions({ url: embedded.urlOf('tenkey'), entities: [] }));
  await connectAndMigrate(dataSource, { waitSeconds: 10, log: () => undefined });
  const schema = await readSchema(dataSource.manager);
  await dataSource.destroy();
  await embedded.stop();
  // As root, the server runs as another user and has its data in another folder.
  for (const folder of [dataDirectory, embedded.dataDirectory])
    rmSync(folder, { recursive: true, force: true });
  const lines = Object.entries(schema).map(
    ([part, definition]) => `${JSON.stringify(part)}: ${literal(definition)},`,
  );
  const text = `/** What the migrations create, by kind and name. Printed by \`npm run schema\`: do not edit. */
export const schema: Readonly<Record<string, string>> = {\n${lines.join('\n')}\n};`;
  const file = join(__dirname, '../libs/database/migrations/schema.ts');
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'typescript' }));
}

function literal(text) {
  if (!text.includes('\n')) return JSON.stringify(text);
  return '`' + text.replace(/[\\`]|\$\{/g, '\\$&') + '`';
}
