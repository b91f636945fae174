/** The form that the value of a field must have. `null` always means an absent field. */
interface FieldForm {
  readonly holds: (value: unknown) => boolean;
  readonly form: string;
  /** True when Tenkey itself uses the field; a value of another form is then a fault and not a warning. */
  readonly isUsed?: boolean;
}

const text: FieldForm = { holds: (value) => typeof value === 'string', form: 'a text' };
const usedText: FieldForm = { ...text, isUsed: true };
const flag: FieldForm = { holds: (value) => typeof value === 'boolean', form: 'true or false' };
const wholeNumber: FieldForm = {
  holds: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  form: 'a whole number above 0',
};
const number: FieldForm = {
  holds: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
  form: 'a number above 0',
};
const address: FieldForm = {
  holds: (value) =>
    typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  form: 'a URL that starts with http:// or https://',
  isUsed: true,
};

/** The known fields of ai_models.yml. Other fields are kept, with a warning because their names may be typos. */
export const knownFields: ReadonlyMap<string, FieldForm> = new Map<string, FieldForm>([
  ['name', usedText],
  ['nickname', text],
  ['family', usedText],
  ['litellm_model_name', usedText],
  ['token_limit', wholeNumber],
  ['is_deprecated', flag],
  ['stability', text],
  ['hosting', text],
  ['vision', flag],
  ['reasoning', flag],
  ['org', text],
  ['description', text],
  ['base_url', address],
  ['deployment_name', usedText],
  ['dimensions', wholeNumber],
  ['max_input', wholeNumber],
  ['max_batch_size', wholeNumber],
  ['hf_link', text],
  ['open_source', flag],
  ['nr_billion_parameters', number],
]);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
