/** What a test counts in place of the database: the arithmetic of a common window, with a clock that the test sets. */
export class ModelWindow {
  readonly #used = new Map<number, number>();
  #newest = 0;

  /** The sum of the current second and the 60 before it. */
  total(second: number): number {
    this.#newest = Math.max(this.#newest, second);
    for (const each of this.#used.keys()) if (each <= this.#newest - 61) this.#used.delete(each);
    return [...this.#used.values()].reduce((sum, amount) => sum + amount, 0);
  }

  /** Corrects, and then grants up to `most` of what is left, if that is at least `least`. */
  ask(
    second: number,
    request: {
      readonly limit: number;
      readonly least: number;
      readonly most: number;
      readonly corrections: readonly (readonly [second: number, amount: number])[];
    },
  ) {
    this.total(second);
    const oldest = this.#newest - 60;
    for (const [at, amount] of [...request.corrections].sort(([a], [b]) => a - b)) {
      const place = Math.min(at, this.#newest);
      if (amount > 0 && place >= oldest) this.#add(place, amount);
      let back = -amount;
      for (let each = place; each >= oldest && back > 0; each -= 1) {
        const part = Math.min(back, this.#used.get(each) ?? 0);
        this.#add(each, -part);
        back -= part;
      }
    }
    const available = request.limit - this.total(second);
    const granted = available >= request.least ? Math.max(0, Math.min(request.most, available)) : 0;
    this.#add(this.#newest, granted);
    const isAll = available >= 0 && granted === request.most;
    return { available, granted, second: this.#newest, amounts: isAll ? null : this.amounts };
  }

  /** Of each second, the newest last. */
  get amounts(): number[] {
    return Array.from({ length: 61 }, (_, place) => this.#used.get(this.#newest - 60 + place) ?? 0);
  }

  #add(second: number, amount: number): void {
    if (amount !== 0) this.#used.set(second, (this.#used.get(second) ?? 0) + amount);
  }
}
