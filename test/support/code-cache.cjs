/**
 * jest runs each spec file in a context of its own, and compiles the 2,800 modules of the application again for each. A script
 * is compiled once and then runs in any context, with the functions that V8 has compiled in the meantime, so a worker keeps one
 * of each module for the next file.
 */
const vm = require('node:vm');

const compiled = new Map();

vm.compileFunction = (code, parameters, { filename, parsingContext }) => {
  let known = compiled.get(filename);
  if (known?.code !== code) {
    const head = `(function (${parameters.join(', ')}) {`;
    // The offset keeps the columns of the first line in stack traces.
    const script = new vm.Script(`${head}${code}\n})`, { filename, columnOffset: -head.length });
    known = { code, script };
    compiled.set(filename, known);
  }
  return known.script.runInContext(parsingContext);
};
