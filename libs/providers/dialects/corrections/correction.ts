/** Changes a response in the provider's own format where clients of that format could not read it. */
export interface Correction {
  /**
   * True when a body that begins like this passes unchanged. Absent: only the whole body shows that.
   * @param beginning its first bytes, usually some kilobytes
   */
  readonly isRightFrom?: (beginning: Buffer) => boolean;
  /** False when these bytes, whole events or a whole body, pass unchanged. It costs little, because almost all do. */
  readonly concerns: (bytes: Buffer) => boolean;
  /**
   * @param json a whole body, or the data of one event
   * @returns the same bytes if they are right, or cannot be understood
   */
  readonly apply: (json: Buffer) => Buffer;
}
