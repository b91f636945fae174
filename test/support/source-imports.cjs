const Module = require('node:module');
const path = require('node:path');

/** Jest runs its global setup outside its own resolution of modules, so `#lib` would lead to the built lib, which may not exist. */
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const lib = /^#([\w-]+)$/.exec(request)?.[1];
  const name = lib === undefined ? request : path.join(__dirname, '../../libs', lib, 'index.ts');
  return resolve.call(this, name, ...rest);
};
