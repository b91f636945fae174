/** The name of a variable in other installations -> ours. */
export const otherNames: Readonly<Record<string, string>> = {
  AZURE_MODEL_DEPLOYMENT: 'AZURE_DEPLOYMENT_NAME',
  AZURE_API_BASE: 'AZURE_ENDPOINT',
  OPENAI_ORGANIZATION: 'OPENAI_ORG_ID',
  ENEO_SUPER_API_KEY: 'INTRIC_SUPER_API_KEY',
};
