/**
 * The rules of the architecture, checked by `npm run check`. A rule that silently stops matching is worse than none, so
 * test/dependency-rules.spec.ts plants violations and expects each of them to be reported.
 */

/** A lib imports only libs to its left; apps import all. */
const order = [
  'crypto',
  'providers',
  'config',
  'log',
  'database',
  'cache',
  'http',
  'egress',
  'audit',
  'tenants',
  'credentials',
  'issued-keys',
  'usage',
  'model-routing',
];

const spec = '\\.spec\\.ts$';

const orderRules = order.slice(0, -1).map((lib, position) => ({
  name: `order-${lib}`,
  comment: `libs/${lib} is to the left of these libs and must not import them.`,
  severity: 'error',
  from: { path: `^libs/${lib}/` },
  to: { path: `^libs/(${order.slice(position + 1).join('|')})/` },
}));

const httpClients = [
  'undici',
  'axios',
  'node-fetch',
  'node-fetch-native',
  'cross-fetch',
  'isomorphic-fetch',
  'whatwg-fetch',
  'ofetch',
  'got',
  'ky',
  'needle',
  'request',
  'superagent',
  'openai',
  '@nestjs/axios',
].join('|');

module.exports = {
  forbidden: [
    ...orderRules,
    {
      name: 'lib-has-a-place',
      comment: 'Every lib has a place in the order above. Add a new lib there.',
      severity: 'error',
      from: {},
      to: { path: '^libs/[^/]+/', pathNot: `^libs/(${order.join('|')})/` },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-room-cycles',
      comment: 'The folders of a lib depend on each other in one direction, as the libs do.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^libs/[^/]+/.' },
      to: { path: '^libs/[^/]+/.', circular: true },
    },
    {
      name: 'front-door',
      comment: 'Another lib is imported only through its index.ts (#lib).',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '^libs/[^/]+/index\\.ts$'] },
    },
    {
      name: 'front-door-apps',
      comment: 'A lib is imported only through its index.ts (#lib).',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^libs/', pathNot: '^libs/[^/]+/index\\.ts$' },
    },
    {
      name: 'own-front-door',
      comment: 'Within a lib, import the file itself, never the index.ts of the same lib.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/', pathNot: spec },
      to: { path: '^libs/$1/index\\.ts$' },
    },
    {
      name: 'nothing-imports-an-app',
      severity: 'error',
      from: { pathNot: '^(apps|test)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-apart',
      comment: 'An app does not import another app; what they share belongs in a lib.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'console-apart',
      comment: 'The console runs in a browser. It knows the service only through its API.',
      severity: 'error',
      from: { path: '^apps/console/' },
      to: { path: '^(apps|libs)/', pathNot: '^apps/console/' },
    },
    {
      name: 'product-without-tests',
      comment: 'Shipped code must not depend on test code.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: spec },
      to: { path: '(^test/|\\.spec\\.ts$)' },
    },
    {
      name: 'outgoing-http-only-in-egress',
      comment:
        'libs/egress opens every outgoing socket, because the address policy and the timeouts are enforced there. apps/api/http-server.ts only listens.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/egress/', '^apps/api/http-server\\.ts$', spec] },
      to: {
        path: [
          `(^|/)node_modules/(${httpClients})/`,
          `^(${httpClients})$`,
          '^(node:)?(http|https|http2|net|tls)$',
        ],
        // A type-only import opens no socket.
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that cannot be resolved escapes every rule above.',
      severity: 'error',
      from: {},
      to: { path: '^[#.]', couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // The packages that test/clients imports are installed only there, by npm run test:clients.
    exclude: { path: ['^(dist|test/clients)/', '/[.]venv/'] },
    // Without 'tenkey-source', `#lib` resolves to dist/ or to nothing, and violations go unnoticed.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['tenkey-source', 'import', 'require', 'node', 'default'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
