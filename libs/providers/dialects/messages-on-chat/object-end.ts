/** Finds the end of a JSON object that comes in fragments, without keeping them: an endless one must not be. */
export class ObjectEnd {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  /** Something stands before the object or behind it, so that the whole is none. */
  private isNone = false;
  private hasEnded = false;

  /** Whether all that came is one object, from its first brace to its last. */
  get isReached(): boolean {
    return this.hasEnded && !this.isNone;
  }

  push(fragment: string): void {
    for (const character of fragment) {
      if (this.isNone) return;
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
    if (this.hasEnded || (this.depth === 0 && character !== '{')) this.isNone = true;
    else if (character === '"') this.isInString = true;
    else if (character === '{' || character === '[') this.depth += 1;
    else if (character === '}' || character === ']') {
      this.depth -= 1;
      this.hasEnded = this.depth === 0;
    }
  }
}
