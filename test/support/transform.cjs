/**
 * One jest transformer for a CommonJS project on ESM packages: Node 20's jest cannot require() an ES module, so
 * `.js` files of packages with `"type": "module"` are compiled to CommonJS, TypeScript is compiled with decorators,
 * and everything else is passed on as it is. A hand-written transformIgnorePatterns list breaks with every update.
 */
const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const swc = require('@swc/jest');
// This is the first file that jest loads into a worker.
require('./code-cache.cjs');

const typescript = swc.createTransformer({
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'commonjs' },
});
const esModule = swc.createTransformer({
  jsc: { target: 'es2022', parser: { syntax: 'ecmascript' } },
  module: { type: 'commonjs', ignoreDynamic: false },
  isModule: true,
});

const typeOfFolder = new Map();
function packageType(folder) {
  if (!typeOfFolder.has(folder)) {
    const manifest = join(folder, 'package.json');
    const parent = dirname(folder);
    let type;
    if (existsSync(manifest)) type = JSON.parse(readFileSync(manifest, 'utf8')).type ?? 'commonjs';
    else type = parent === folder ? 'commonjs' : packageType(parent);
    typeOfFolder.set(folder, type);
  }
  return typeOfFolder.get(folder);
}

function transformerOf(file) {
  if (file.endsWith('.ts')) return typescript;
  if (file.endsWith('.mjs') || packageType(dirname(file)) === 'module') return esModule;
  return undefined;
}

module.exports = {
  canInstrument: false,
  process(source, file, options) {
    const transformer = transformerOf(file);
    return transformer ? transformer.process(source, file, options) : { code: source };
  },
  getCacheKey(source, file, options) {
    const transformer = transformerOf(file);
    const key = (transformer ?? esModule).getCacheKey(source, file, options);
    return transformer === undefined ? `${key}-raw` : transformer === esModule ? `${key}-esm` : key;
  },
};
