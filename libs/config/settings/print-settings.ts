import { baseUrl } from './kinds';
import { baseUrlSettings, globalSettings, type ProviderSetting } from './provider-settings';
import { sections, type Setting } from './setting';
import { settings } from './settings';

const lineWidth = 120;

const baseUrls = {
  title: 'Base URLs of providers',
  text: "The operator's own base URL for a provider, which replaces the provider's public address. It applies in both modes. Providers that the model catalogue declares have such a variable too, `<ID>_BASE_URL`.",
};
const globalKeys = {
  title: 'Global keys',
  text: "The operator's own credentials. They are used in single-tenant mode, and in strict mode only with `LEGACY_MODELS_USE_GLOBAL_KEYS=true`. Each value follows the rules for the same field of a tenant's credential. For a provider that the model catalogue declares, the variables begin with its id, such as `<ID>_API_KEY`.",
};

/** The text of `.env.example`. */
export function envExample(): string {
  const blocks = [
    comment(
      'Copy this file to .env for production; a first start in development writes its own .env with generated keys. Environment variables take precedence over .env. A secret can be in a file that NAME_FILE names. docs/settings.md describes each setting. Printed by `npm run settings`: do not edit.',
    ),
    ...sectionsOfTable().map(({ title, rows }) =>
      [
        banner(title),
        ...rows.flatMap((row) => [
          comment(`${row.description} ${productionDefaultOf(row)}`),
          `${row.name}=${row.productionDefault === undefined ? (row.default ?? '') : ''}`,
        ]),
      ].join('\n'),
    ),
    [banner(baseUrls.title), comment(baseUrls.text), ...baseUrlSettings.flatMap(line)].join('\n'),
    [banner(globalKeys.title), comment(globalKeys.text), ...globalSettings.flatMap(line)].join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** The text of docs/settings.md. */
export function settingsPage(): string {
  const blocks = [
    '<!-- Printed by `npm run settings` from libs/config/settings: do not edit. -->',
    '# Settings',
    wrap(
      'Tenkey reads its settings from environment variables and from the file `.env` in its working directory. An environment variable takes precedence over the file, even if it is empty. An empty or blank value counts as not set.',
    ),
    wrap(
      'At the start, Tenkey checks every setting and reports all faults at once. A report names the variable and says what the value must be, but never contains the value. A change takes effect at the next start.',
    ),
    wrap(
      'Each secret can be in a file instead: `<NAME>_FILE` is then its path, for example `ENCRYPTION_KEY_FILE=/run/secrets/encryption-key`. This holds for every setting that is marked as a secret below, and for the global keys of providers. A line break at the end of the file does not count. A start fails when the file cannot be read, or when both variables are set.',
    ),
    wrap(
      'The [command line](command-line.md#which-tenkey-and-which-key) has variables of its own, which say where a running Tenkey is and which key opens it.',
    ),
    ...sectionsOfTable().flatMap(({ title, rows }) => [
      `## ${title}`,
      ...rows.flatMap((row) => [`### ${row.name}`, wrap(row.description), wrap(factsOf(row))]),
    ]),
    `## ${baseUrls.title}`,
    wrap(`${baseUrls.text} The value ${baseUrl.rule}`),
    table(
      ['Variable', 'Provider', 'Default or purpose'],
      baseUrlSettings.map(({ name, provider, note }) => [
        `\`${name}\``,
        provider.label,
        note ?? `\`${provider.defaultEndpoint}\``,
      ]),
    ),
    `## ${globalKeys.title}`,
    wrap(globalKeys.text),
    table(
      ['Variable', 'Provider', 'Field of the credential'],
      globalSettings.map(({ name, provider, field, note }) => [
        `\`${name}\``,
        provider.label,
        note === undefined ? `\`${field}\`` : `\`${field}\`. ${note}`,
      ]),
    ),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function sectionsOfTable(): { title: string; rows: Setting[] }[] {
  return Object.entries(sections).map(([id, title]) => ({
    title,
    rows: Object.values<Setting>(settings).filter(({ section }) => section === id),
  }));
}

function productionDefaultOf({ default: usual, productionDefault }: Setting): string {
  return productionDefault === undefined
    ? ''
    : `Default: \`${usual}\`, in production \`${productionDefault}\`.`;
}

function factsOf(row: Setting): string {
  const { default: usual = '', kind } = row;
  return [
    kind.isSecret ? 'Secret.' : '',
    productionDefaultOf(row) || (usual === '' ? 'Not set by default.' : `Default: \`${usual}\`.`),
    kind.rule?.replace('must', 'Must') ?? '',
  ]
    .filter((fact) => fact !== '')
    .join(' ');
}

function line({ name, note }: ProviderSetting): string[] {
  return note === undefined ? [`${name}=`] : [comment(note), `${name}=`];
}

function banner(title: string): string {
  return `# --- ${title} `.padEnd(100, '-');
}

/** Without the marks of Markdown, which a comment does not need. */
function comment(text: string): string {
  return wrap(text.replaceAll('`', ''), lineWidth - 2).replaceAll(/^/gm, '# ');
}

function wrap(text: string, width = lineWidth): string {
  const lines = [''];
  for (const word of text.split(' ').filter((each) => each !== '')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** A table of Markdown with aligned columns, as Prettier formats it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
    .join('\n');
}
