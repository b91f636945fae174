/** Finds the end of a JSON object that arrives in fragments, without storing them, because they may be endless. */
export class ObjectEnd {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  /** There is something before or after the object. */
  private isInvalid = false;
  private isClosed = false;

  /** True if the fragments so far are exactly one complete object. */
  get isReached(): boolean {
    return this.isClosed && !this.isInvalid;
  }

  push(fragment: string): void {
    for (const character of fragment) {
      if (this.isInvalid) return;
      if (this.isInString) this.inString(character);
      else this.outsideStrings(character);
    }
  }

  private inString(character: string): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (character === '\\') this.isEscaped = true;
    else if (character === '"') this.isInString = false;
  }

  private outsideStrings(character: string): void {
    if (' \t\r\n'.includes(character)) return;
    if (this.isClosed || (this.depth === 0 && character !== '{')) this.isInvalid = true;
    else if (character === '"') this.isInString = true;
    else if (character === '{' || character === '[') this.depth += 1;
    else if (character === '}' || character === ']') {
      this.depth -= 1;
      this.isClosed = this.depth === 0;
    }
  }
}
