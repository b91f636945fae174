const { default: Runtime } = require('jest-runtime');

/** The text of each file that was read in this process. */
const sources = new Map();
/** File -> what it was transformed from, and the result. */
const transformed = new Map();

/**
 * jest reads each of the 2,800 modules of the application again for every spec file, and looks whether it has changed. Nothing
 * changes during a run, so a worker reads and transforms each file once.
 */
module.exports = class extends Runtime {
  constructor(config, environment, resolver, transformer, ownSources, coverage, testPath, globalConfig) {
    const isWatching = globalConfig.watch || globalConfig.watchAll;
    super(
      config,
      environment,
      resolver,
      isWatching ? transformer : transformingOnce(transformer),
      isWatching ? ownSources : sources,
      coverage,
      testPath,
      globalConfig,
    );
  }
};

// The runtime clears the sources after each spec file.
sources.clear = () => undefined;

function transformingOnce(transformer) {
  const { transform } = transformer;
  transformer.transform = function (file, options, source) {
    let known = transformed.get(file);
    if (known?.source !== source) {
      known = { source, result: transform.call(this, file, options, source) };
      transformed.set(file, known);
    }
    return known.result;
  };
  return transformer;
}
