import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** ai_models.yml as shipped, from the sources as well as from dist/. */
export function shippedModels(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'apps', 'api', 'ai_models.yml');
}
