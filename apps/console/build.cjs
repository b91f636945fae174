// Builds the console: the type check against the OpenAPI document, then one folder that the api serves.
//   node apps/console/build.cjs
// The files that the page loads have a hash of their content in their names, and each is also written compressed.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const source = __dirname;
const root = path.resolve(source, '../..');
const target = path.join(root, 'dist/console');
const files = path.join(target, 'files');
/** Smaller files gain nothing. */
const COMPRESS_BYTES = 1024;

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

async function main() {
  fs.rmSync(target, { recursive: true, force: true });
  const [outputs] = await Promise.all([bundle(), checkTypes()]);
  writePage(outputs);
  for (const name of fs.readdirSync(files)) compress(path.join(files, name));
}

async function bundle() {
  const { build } = require('esbuild');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { console: path.join(source, 'src/main.tsx'), icon: path.join(source, 'icon.svg') },
    outdir: files,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'copy' },
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'none',
    plugins: [mantineByModule()],
    metafile: true,
    logLevel: 'warning',
  });
  const outputs = Object.keys(metafile.outputs).map((file) => path.basename(file));
  // A page that is loaded later would not load its own style sheet.
  if (outputs.filter((name) => name.endsWith('.css')).length > 1)
    throw new Error('Only apps/console/src/main.tsx may import style sheets.');
  return outputs;
}

/**
 * Imports each of Mantine's components from its own module. Through the package's index, every page would load the components of
 * all pages, because esbuild puts what is reached through one module into one file.
 */
function mantineByModule() {
  const index = path.join(root, 'node_modules/@mantine/core/esm/index.mjs');
  const names = (list) =>
    list
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
  const modules = new Map(
    [...fs.readFileSync(index, 'utf8').matchAll(/^import \{([^}]*)\} from "([^"]+)";$/gm)].flatMap(
      ([, list, module]) => names(list).map((name) => [name, path.resolve(index, '..', module)]),
    ),
  );
  const importOf = (name) => {
    const module = modules.get(name.split(' ')[0]);
    if (module === undefined) throw new Error(`The index of @mantine/core has no module for ${name}.`);
    return `import { ${name} } from ${JSON.stringify(module)};`;
  };
  return {
    name: 'mantine by module',
    setup(build) {
      build.onLoad({ filter: /\.tsx?$/ }, ({ path: file }) => ({
        contents: fs
          .readFileSync(file, 'utf8')
          .replace(/^import \{([^}]*)\} from '@mantine\/core';$/gm, (_, list) =>
            names(list)
              .filter((name) => !name.startsWith('type '))
              .map(importOf)
              .join(' '),
          ),
        loader: path.extname(file).slice(1),
      }));
    },
  };
}

/** A route that changed, or no longer exists, breaks the build here and not in front of a sysadmin. */
function checkTypes() {
  return new Promise((resolve, reject) => {
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
    const child = spawn(process.execPath, [compiler, '-p', source], { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error('The console does not fit the API, or has another error in its types.'));
    });
  });
}

/** The names of the files are put in here; what differs between responses is left to apps/api. */
function writePage(outputs) {
  const named = (pattern) => outputs.find((name) => pattern.test(name));
  const loaded = {
    icon: named(/^icon-.*\.svg$/),
    style: named(/^console-.*\.css$/),
    script: named(/^console-.*\.js$/),
  };
  let page = fs.readFileSync(path.join(source, 'index.html'), 'utf8');
  for (const [name, file] of Object.entries(loaded)) {
    if (file === undefined) throw new Error(`The build has no ${name}.`);
    page = page.replace(`{${name}}`, `console/${file}`);
  }
  fs.writeFileSync(path.join(target, 'index.html'), page);
}

function compress(file) {
  const content = fs.readFileSync(file);
  if (content.length < COMPRESS_BYTES) return;
  const quality = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } };
  fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(content, quality));
  fs.writeFileSync(`${file}.gz`, zlib.gzipSync(content, { level: 9 }));
}
