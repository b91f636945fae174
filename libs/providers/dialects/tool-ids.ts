/**
 * Anthropic takes ^[a-zA-Z0-9_-]+$ as the id of a tool call, others also make `functions.weather:0`. Other characters
 * are spelled by their code, so that different ids stay different and a call and its result still agree.
 */
export function anthropicToolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
}
