import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of the ai_models.yml that is shipped, whether the process runs the sources or dist/. */
export function shippedModels(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'apps', 'api', 'ai_models.yml');
}
