import { type OpenAPIObject } from '@nestjs/swagger';
import { hooks } from '#http';

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/**
 * Names the aliases of each route in its description. They are not operations of their own, since a generated client has no use for
 * a second method that does the same.
 */
export function describeAliases({ paths }: OpenAPIObject): void {
  for (const [path, item] of Object.entries(paths)) {
    const aliases = aliasesOf(path);
    if (aliases.length === 0) continue;
    const sentence = `Aliases: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      const { description } = operation;
      operation.description = description ? `${description}\n\n${sentence}` : sentence;
    }
  }
}

function aliasesOf(path: string): string[] {
  if (!path.startsWith('/v1/')) return [];
  const rest = path.slice('/v1/'.length);
  const isBelow = (each: string, prefix: string) => !prefix.includes(':') && rest.startsWith(`${each}/`);
  return hooks.aliases
    .filter(({ prefix, paths }) => paths?.some((each) => rest === each || isBelow(each, prefix)) ?? true)
    .map(({ prefix }) => `${prefix.replace(':deployment', '{deployment}')}/${rest}`);
}
