import { isRecord } from '#model-routing';
import { adviceOfSetting } from './advice';
import { type ConfigFile, fieldsAt, isEmpty, listAt, type Report, shownName } from './config';
import { type Variables } from './variables';

/** The sections that are carried over, or reported by what reads them. */
const readSections = ['model_list', 'credential_list', 'environment_variables', 'include'];

/** The fields that name an item of a list: guardrails, prompts, policies and others. */
const nameFields = ['guardrail_name', 'name', 'prompt_id', 'path', 'custom_llm_provider'];

/** Reports the settings outside of `model_list`, none of which is carried over: each one with what to do instead. */
export function reportSettings(files: readonly ConfigFile[], variables: Variables, report: Report): void {
  for (const file of files) {
    for (const [section, { value, ...place }] of fieldsAt(file, [], file.root)) {
      if (readSections.includes(section) || isEmpty(value)) continue;
      const say = (at: typeof place, name: string, advice: string) =>
        report('fault', at, `${name} is not carried over: ${advice}`);
      if (isRecord(value)) {
        for (const [name, field] of fieldsAt(file, [section], value)) {
          if (isEmpty(field.value) || (section === 'router_settings' && name === 'model_group_alias'))
            continue;
          say(field, `${shownName(section)}.${shownName(name)}`, adviceOfSetting(section, name));
        }
      } else if (Array.isArray(value)) {
        for (const item of listAt(file, section)) {
          const name = nameOf(item.value);
          say(item, `${shownName(section)}${name === undefined ? '' : ` ${name}`}`, adviceOfSetting(section));
        }
      } else say(place, shownName(section), adviceOfSetting(section));
    }
    reportIncludes(file, files[0]!, report);
    const own = file.root.environment_variables;
    if (own !== undefined && own !== null && !isRecord(own)) {
      const line = file.lineOf(['environment_variables']);
      report('fault', { file: file.file, line }, 'environment_variables must be a map of names and values');
    }
  }
  for (const [name, place] of variables.contradicted) {
    const reason = 'has another value in the environment, and that one is used';
    report('warning', place, `environment_variables.${shownName(name)} ${reason}`);
  }
  for (const [name, place] of variables.unused) {
    if (isEmpty(place.value)) continue;
    const advice = adviceOfSetting('environment_variables');
    report('fault', place, `environment_variables.${shownName(name)} is not carried over: ${advice}`);
  }
}

/** LiteLLM does not read what an included file includes. */
function reportIncludes(file: ConfigFile, main: ConfigFile, report: Report): void {
  if (file === main || isEmpty(file.root.include ?? null)) return;
  const place = { file: file.file, line: file.lineOf(['include']) };
  report('fault', place, 'include is not carried over: LiteLLM ignores it in a file that is itself included');
}

function nameOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  const name = nameFields.map((field) => item[field]).find((each) => typeof each === 'string');
  return typeof name === 'string' ? shownName(name) : undefined;
}
