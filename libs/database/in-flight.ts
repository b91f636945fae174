/**
 * What a stop has to wait for, in no order. A Set would do, but V8 chains the tables that a busy Set outgrows, and each keeps the
 * objects that were in it: whole requests would stay in memory until the next full garbage collection.
 *
 * An object can be in one list, and `place` is its index there; -1: it is in none.
 */
export class InFlight<T extends { place: number }> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  /** A copy. */
  get all(): readonly T[] {
    return [...this.#all];
  }

  add(each: T): void {
    each.place = this.#all.length;
    this.#all.push(each);
  }

  /** Does nothing for an object that is in no list. */
  delete(each: T): void {
    if (each.place === -1) return;
    const last = this.#all.pop()!;
    if (last !== each) {
      this.#all[each.place] = last;
      last.place = each.place;
    }
    each.place = -1;
  }
}
