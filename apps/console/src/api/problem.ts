/** What Tenkey responds when it fails (RFC 9457). */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  /** `urn:tenkey:request:<id>`. */
  readonly instance?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** A request that Tenkey refused, or that did not reach it. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';

  /**
   * @param status 0: there was no response
   * @param problem undefined if the response was not one of Tenkey's
   */
  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? problem?.title ?? textOf(status));
  }

  get code(): string | undefined {
    return this.problem?.code;
  }

  get hint(): string | undefined {
    if (this.problem !== undefined) return this.problem.hint;
    return this.status === 0 ? 'Check your connection, and whether Tenkey runs.' : undefined;
  }
}

function textOf(status: number): string {
  return status === 0
    ? 'Tenkey did not respond.'
    : `The response has the status ${status} and no explanation.`;
}
