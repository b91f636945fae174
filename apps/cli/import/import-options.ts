/** The options of `import litellm`. */
export interface ImportOptions {
  readonly out?: string;
  readonly envOut?: string;
  readonly tenants?: readonly string[];
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly keepDuplicates?: boolean;
  readonly json?: boolean;
}
