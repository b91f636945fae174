import { isRecord } from '#model-routing';
import { type ConfigFile, fieldsAt, isEmpty, type PlannedModel, type Report, shownName } from './config';

/**
 * Carries over `model_group_alias`, LiteLLM's other names of models: each becomes an entry of its own that calls the same.
 * @param models those that are carried over, by name
 */
export function planAliases(
  files: readonly ConfigFile[],
  models: ReadonlyMap<string, PlannedModel>,
  report: Report,
): PlannedModel[] {
  const aliases = new Map<string, PlannedModel>();
  for (const file of files) {
    const section = 'router_settings';
    const { model_group_alias: map } = isRecord(file.root[section]) ? file.root[section] : {};
    if (!isEmpty(map ?? null) && !isRecord(map)) {
      const place = { file: file.file, line: file.lineOf([section], 'model_group_alias') };
      report('fault', place, 'model_group_alias is not carried over: it must be a map');
    }
    for (const [alias, { value, ...place }] of fieldsAt(file, [section, 'model_group_alias'], map)) {
      const name = isRecord(value) ? value.model : value;
      const model = typeof name === 'string' ? models.get(name) : undefined;
      const isTaken = models.has(alias) || aliases.has(alias);
      if (model === undefined || isTaken) {
        const reason = isTaken ? 'a model has this name' : 'the model that it means is not carried over';
        report('fault', place, `model_group_alias ${shownName(alias)} is not carried over: ${reason}`);
      } else aliases.set(alias, { ...model, fields: { ...model.fields, name: alias } });
    }
  }
  return [...aliases.values()];
}
