/** What to do about the settings of LiteLLM that nothing in Tenkey corresponds to, as the rest of a sentence. */
const balancing = 'Tenkey calls one deployment for each model, so there is nothing to choose between';
const limits = 'limit the tenant keys instead (docs/keys.md)';
const timing = 'set UPSTREAM_TIMEOUTS and UPSTREAM_RETRIES for Tenkey instead (docs/settings.md)';
const fallbacks = 'no call of Tenkey falls back to another model or key; let the client choose another model';
const caching = 'Tenkey caches no responses';
const reporting = 'Tenkey has its own log, metrics and usage records (docs/usage.md)';
const prices = 'Tenkey counts tokens and knows no prices (docs/usage.md)';
const accounts = 'Tenkey has its own database, tenants and keys (docs/keys.md)';
const parameters =
  'Tenkey leaves out only parameters that the provider does not have, and names them in a response header (docs/providers.md)';
const headers =
  'Tenkey sends no headers or fields of its configuration; let the client or a gateway add what the server needs';
const signIn = 'Tenkey signs in with an API key only; create one for this model';
const settings = 'Tenkey has settings of its own (docs/settings.md)';
const noCounterpart = 'Tenkey has nothing that corresponds to it';

type Advice = readonly (readonly [pattern: RegExp, text: string])[];

/** The parameters of LiteLLM itself in `litellm_params`. Every other one is sent with each request of the model. */
const paramAdvice: Advice = [
  [/^(rpm|tpm|itpm|otpm|max_parallel_requests|max_budget|budget_duration|default_api_key_\w+)$/, limits],
  [
    /^(weight|order|tags|tag_regex|region_name|cooldown_time|allowed_fails\w*|provider_affinity_header)$/,
    balancing,
  ],
  [/^(timeout|stream_timeout|max_retries|num_retries|retry_policy|keepalive_seconds)$/, timing],
  [/fallbacks$/, fallbacks],
  [/^(extra_headers|headers|extra_body|extra_query|default_headers)$/, headers],
  [/cost|price|pricing|^base_model$/, prices],
  [/^(azure_ad_token|azure_scope|azure_username|azure_password|tenant_id|client_id|client_secret)$/, signIn],
  [/^(aws|vertex|watsonx|gcs|s3)_/, signIn],
  [/^(drop_params|additional_drop_params|allowed_openai_params|modify_params)$/, parameters],
  [/^cache|caching/, caching],
  [
    /^configurable_clientside_auth_params$/,
    'only the credential of the tenant says which key and address are used',
  ],
  [
    /^(mock_response|model_info|use_in_pass_through|use_litellm_proxy|max_file_size_mb|prompt_id|\w+_router_\w+|auto_router_\w+|litellm_\w+|roles|\w+_prompt_value|bos_token|eos_token)$/,
    noCounterpart,
  ],
];

const infoAdvice: Advice = [
  [/cost|price|pricing|^base_model$|^ptu_/, prices],
  [
    /^max_(input_|output_)?tokens$/,
    'add token_limit to the model in the catalogue if your platform reads it; there it is the size of the context window',
  ],
  [/^(tpm|rpm)$/, limits],
  [
    /^(team_id|team_public_model_name|access_groups|access_windows|supported_environments)$/,
    'tenant keys can be limited to models instead (docs/keys.md)',
  ],
];

const settingAdvice: Advice = [
  [
    /^store_model_in_db$/,
    'models that LiteLLM keeps in its database are not imported; write them into model_list first',
  ],
  [/^(default_|context_window_|content_policy_)?fallbacks$/, fallbacks],
  [
    /callback|langfuse|logging|spend_logs|alert|slack|otel|prometheus|telemetry|verbose|json_logs|^store_/,
    reporting,
  ],
  [/^cache|caching|^redis_|^enable_caching/, caching],
  [/timeout|retries|retry|allowed_fails|cooldown/, timing],
  [/budget|rpm|tpm|parallel_requests/, limits],
  [/cost|currency/, prices],
  [/drop_params|modify_params/, parameters],
  [
    /^master_key$/,
    'clients need new keys: create tenant keys, or set PLATFORM_API_KEY and INTRIC_SUPER_API_KEY (docs/keys.md)',
  ],
  [
    /^database_|database|^salt_key$/,
    'set DATABASE_URL for a database of its own; virtual keys, teams and spend of LiteLLM are not imported',
  ],
  [/alias/, 'add an entry for the other name to the catalogue'],
  [/key|auth|jwt|team|user|sso|role/, accounts],
];

const sectionAdvice: Readonly<Record<string, string>> = {
  guardrails:
    'Tenkey changes and checks no prompts; put a guardrail into the application or in front of Tenkey',
  policies:
    'Tenkey changes and checks no prompts; put a guardrail into the application or in front of Tenkey',
  prompts: 'keep prompts in the application',
  router_settings: balancing,
  general_settings: settings,
  litellm_settings: settings,
  callback_settings: reporting,
  environment_variables: 'no model uses this variable, and Tenkey has settings of its own (docs/settings.md)',
  credential_list: 'no model that was carried over uses this credential',
};

const find = (advice: Advice, name: string) => advice.find(([pattern]) => pattern.test(name))?.[1];

export function adviceOfParam(name: string): string {
  return (
    find(paramAdvice, name) ??
    'LiteLLM sends this value with each request of the model, Tenkey does not; let the clients send it'
  );
}

export function adviceOfInfo(name: string): string {
  return find(infoAdvice, name) ?? noCounterpart;
}

/** @param name absent: advice about the section as a whole */
export function adviceOfSetting(section: string, name = ''): string {
  const own = Object.hasOwn(sectionAdvice, section) ? sectionAdvice[section] : undefined;
  const isOfSettings = /^(litellm|general|router|callback)_settings$/.test(section);
  return (isOfSettings ? find(settingAdvice, name) : undefined) ?? own ?? noCounterpart;
}
