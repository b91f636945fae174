import { resolve } from 'node:path';
import { type Config, ConfigError } from '#config';
import { counted, fault, type Finding, warning } from '#database';
import { CatalogueError, checkCatalogue, ModelCatalogue, shippedModelsFile } from '#model-routing';
import { type Settings } from '../settings';
import { type Check } from './check';

const settingsFix = 'docs/settings.md describes every setting.';

/** Every fault of the settings, also of those for providers that the catalogue declares. */
export function settingsCheck(config: Config | ConfigError, settings: Settings): Check {
  return {
    name: 'settings',
    run: async () => {
      if (config instanceof ConfigError) {
        return { text: '', findings: config.faults.map((text) => fault(withoutPeriod(text), settingsFix)) };
      }
      const providers = await catalogueProviders(settings);
      const findings = config
        .faultsOfDeclared(providers?.declared ?? [])
        .map((text) => fault(withoutPeriod(text), settingsFix));
      const present = config.globalVariablesPresent(providers?.all ?? []);
      if (config.mode === 'strict' && !config.legacyModelsUseGlobalKeys && present.length > 0) {
        findings.push(
          warning(
            `these variables are not read in strict mode: ${present.join(', ')}`,
            'Remove them. If they pay for calls, docs/operations.md describes the change to strict mode.',
          ),
        );
      }
      const cut = config.cutAddressesOf(providers?.all ?? []);
      if (cut.length > 0) {
        findings.push(
          warning(
            `${cut.join(', ')}: the value is the URL of a request, so only its base URL is used`,
            'Set the base URL.',
          ),
        );
      }
      for (const text of config.egressProxies.warnings) {
        findings.push(warning(withoutPeriod(text), 'docs/operations.md describes proxies.'));
      }
      return { text: `valid, ${config.mode} mode${config.isProduction ? ', production' : ''}`, findings };
    },
  };
}

/** Files with secrets that other users of this machine can read. */
export function filesCheck(settings: Settings): Check {
  return {
    name: 'secret files',
    run: async () => {
      const exposed = await settings.exposedFiles();
      const findings = exposed.map(({ name, readers }): Finding => {
        const file = name === '.env' ? '.env' : `the file that ${name} names`;
        const found = name === '.env' && readers === 'every user' ? fault : warning;
        return found(
          `${file} can be read by ${readers}`,
          `chmod 600 on it, as the user that Tenkey runs as.`,
        );
      });
      return { text: 'no other user of this machine can read them', findings };
    },
  };
}

export function catalogueCheck(settings: Settings): Check {
  return {
    name: 'model catalogue',
    run: async () => {
      const { models, findings } = checkCatalogue(await catalogueFile(settings));
      const count = (severity: 'fault' | 'warning') =>
        findings.filter((each) => each.severity === severity).length;
      const [faults, warnings] = [count('fault'), count('warning')];
      const fix = 'npx tenkey models check lists them with their lines.';
      return {
        text: `${models.length} models`,
        findings: [
          ...(faults > 0 ? [fault(`the file has ${counted(faults, 'fault')}, so a start fails`, fix)] : []),
          ...(warnings > 0 ? [warning(`the file has ${counted(warnings, 'warning')}`, fix)] : []),
        ],
      };
    },
  };
}

/** The providers of the catalogue; undefined when it has faults, which its own check reports. */
export async function catalogueProviders(settings: Settings) {
  try {
    return ModelCatalogue.load(await catalogueFile(settings)).providers;
  } catch (error) {
    if (error instanceof CatalogueError) return undefined;
    throw error;
  }
}

async function catalogueFile(settings: Settings): Promise<string> {
  return resolve((await settings.modelsFile()) ?? shippedModelsFile());
}

function withoutPeriod(text: string): string {
  return text.replace(/\.$/, '');
}
