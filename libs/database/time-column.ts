/** SQL has times that a Date cannot hold (infinity, the year 290000). One row with such a time must not break a list. */
export const timeColumn = { from: timeOf, to: (time: Date) => time };

/** The same for a nullable column. */
export const optionalTimeColumn = {
  from: (value: unknown) => (value === null ? null : timeOf(value)),
  to: (time: Date | null) => time,
};

function timeOf(value: unknown): Date {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : new Date(0);
}
