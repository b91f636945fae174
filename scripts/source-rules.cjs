// Rules for the sources that imports do not show. Prints each violation; the exit code is 1 if there is one.
//   node scripts/source-rules.cjs [root of a project]
// test/source-rules.spec.ts plants violations and expects them to be found.
const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const MAXIMUM_FILES = 14;
const migrations = 'libs/database/migrations';

/** Folders that grow with each provider or change of the schema. */
const largeFolders = ['libs/providers/definitions', migrations];

/** The libs of the tables and sequences without an entity. All others belong to the lib of their entity. */
const ownersWithoutEntity = {
  audit_head: 'audit',
  audit_values: 'audit',
  change_head: 'cache',
  credential_versions: 'credentials',
  limit_windows: 'issued-keys',
  registered_processes: 'cache',
  usage_daily: 'usage',
  usage_hourly: 'usage',
  usage_lost: 'usage',
  usage_lost_batches: 'usage',
};

const lineRules = [
  {
    pattern: /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[['"`]env|from ['"](node:)?process['"]/,
    exempt: /^(libs\/config\/|apps\/[^/]+\/main\.ts$)/,
    message: 'the environment is read only in libs/config',
  },
  {
    pattern: /(?<![.\w])fetch\s*\(|\bglobalThis\.fetch\b|\bnew (WebSocket|EventSource)\b/,
    // The client of the command line speaks to Tenkey itself, never to a provider.
    exempt: /^libs\/egress\/|^apps\/cli\/remote\/client\.ts$|\.spec\.ts$/,
    message: 'outgoing requests are made only in libs/egress',
  },
];

const root = path.resolve(process.argv[2] ?? path.join(__dirname, '..'));
const files = ['apps', 'libs'].flatMap(typescriptFiles).map((name) => {
  const text = fs.readFileSync(path.join(root, name), 'utf8');
  return { name, text, strings: isSpec(name) ? [] : stringsOf(name, text) };
});
const faults = [...lineFaults(), ...tableFaults(), ...pathFaults(), ...folderFaults()];
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

function lineFaults() {
  return files.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line, index) => {
      if (/^\s*(\/\/|\/?\*)/.test(line)) return [];
      return lineRules
        .filter(({ pattern, exempt }) => !exempt.test(name) && pattern.test(line))
        .map(({ message }) => `${name}:${index + 1}: ${message}`);
    }),
  );
}

/** The name of a table or a sequence is written only in its own lib and in the migrations. */
function tableFaults() {
  const owners = new Map(Object.entries(ownersWithoutEntity));
  for (const { name, text } of files) {
    for (const [, table] of text.matchAll(/@Entity\(\s*(?:\{\s*name:\s*)?['"](\w+)['"]/g)) {
      owners.set(table, name.split('/')[1]);
    }
  }
  const created = files
    .filter(({ name }) => name.startsWith(`${migrations}/`))
    .flatMap(({ name, strings }) =>
      strings.flatMap(({ text }) =>
        [...text.matchAll(/\bcreate\s+(?:table|sequence)\s+(?:if not exists\s+)?(\w+)/gi)].map(
          ([, table]) => ({ name, table }),
        ),
      ),
    );
  const unowned = created
    .filter(({ table }) => !owners.has(table))
    .map(({ name, table }) => `${name}: no lib owns ${table}; name it in scripts/source-rules.cjs`);
  const elsewhere = [...owners].flatMap(([table, lib]) =>
    found(
      occurrencesOf(table),
      (name) => name.startsWith(`libs/${lib}/`) || name.startsWith(`${migrations}/`),
    ).map((place) => `${place}: the table ${table} is named only in libs/${lib}`),
  );
  return [...unowned, ...elsewhere];
}

/** A name of several words is a table wherever it appears; a single word, such as tenants, only where SQL expects a table. */
function occurrencesOf(table) {
  if (table.includes('_')) return new RegExp(`\\b${table}\\b`, 'i');
  const sql = `\\b(?:from|join|into|update|table|only|truncate|lock)\\s+(?:public\\.)?"?${table}\\b`;
  // A file such as tenants.yml is no column.
  return new RegExp(`${sql}|\\b${table}\\.(?!ya?ml\\b|schema\\.json\\b)\\w`, 'i');
}

/** The path of the sysadmin API is written once. The console's paths are checked against the OpenAPI document by their types. */
function pathFaults() {
  const owner = 'libs/http/requests/paths.ts';
  const isExempt = (name) => name === owner || name.startsWith('apps/console/');
  return found(/\/api\/v1\/sysadmin\b/, isExempt).map(
    (place) => `${place}: the path of the sysadmin API is written only in ${owner}`,
  );
}

function folderFaults() {
  const counts = new Map();
  for (const { name } of files.filter((file) => !isSpec(file.name))) {
    const folder = path.posix.dirname(name);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([folder, count]) => count > MAXIMUM_FILES && !largeFolders.includes(folder))
    .map(([folder, count]) => `${folder}: ${count} source files; a folder has at most ${MAXIMUM_FILES}`);
}

/** Where a string matches, as file:line. */
function found(pattern, isExempt) {
  const places = files.flatMap(({ name, strings }) => {
    if (isExempt(name)) return [];
    return strings.flatMap(({ text, line }) => {
      const match = pattern.exec(text);
      return match ? [`${name}:${line + text.slice(0, match.index).split('\n').length}`] : [];
    });
  });
  return [...new Set(places)];
}

/** The string literals of a file and the parts of its templates, each with the number of its first line, from 0. */
function stringsOf(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const strings = [];
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isTemplateHead(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      strings.push({ text: node.getText(source), line });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return strings;
}

function isSpec(name) {
  return name.endsWith('.spec.ts');
}

function typescriptFiles(folder) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((item) => {
    const name = `${folder}/${item.name}`;
    if (item.isDirectory()) return item.name === 'node_modules' ? [] : typescriptFiles(name);
    return /\.[cm]?tsx?$/.test(item.name) ? [name] : [];
  });
}
