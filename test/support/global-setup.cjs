// The setup of jest. What resolves `#lib` must be in force before the setup imports anything.
require('./source-imports.cjs');
module.exports = require('./global-setup.ts').default;
