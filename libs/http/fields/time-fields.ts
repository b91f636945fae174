import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';

/**
 * The forms in which a time is written in requests and cursors: all are RFC 3339. Not all of ISO 8601 is accepted: its weeks
 * and days of the year are no Date, and a time without its zone would depend on the clock of the server.
 */
const timeForms = {
  /** A calendar day in UTC, from the year 2000 on. */
  day: { pattern: /^2\d{3}-\d{2}-\d{2}$/, text: 'a day such as 2026-01-31' },
  time: {
    pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/,
    text: 'a time with its time zone, such as 2026-01-31T12:00:00Z',
  },
  /** A day is its first moment in UTC. From the year 2000 on. */
  'day or time': {
    pattern: /^2\d{3}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/,
    text: 'a date such as 2026-01-31, or a time with its time zone, such as 2026-01-31T12:00:00Z',
  },
  /** The same, and no finer than what a Date keeps. */
  'day or time in ms': {
    pattern: /^2\d{3}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/,
    text: 'a date such as 2030-06-30, or a time with its time zone, such as 2030-06-30T12:00:00Z',
  },
  /** As a Date prints itself, and only years that PostgreSQL reads as well. */
  'UTC in ms': {
    pattern: /^2\d{3}-\d{2}-\d{2}T([01]\d|2[0-3]):\d{2}:\d{2}\.\d{3}Z$/,
    text: 'a time such as 2026-01-31T12:00:00.000Z',
  },
  /** As PostgreSQL prints a time; two rows may be made in the same millisecond. */
  'UTC in µs': {
    pattern: /^(?!0000)\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):\d{2}:\d{2}\.\d{6}Z$/,
    text: 'a time such as 2026-01-31T12:00:00.000000Z',
  },
} as const satisfies Record<string, { readonly pattern: RegExp; readonly text: string }>;

type TimeForm = keyof typeof timeForms;

/** True for a time of this form on a day that exists: a Date moves February 30, and PostgreSQL refuses it. */
export function isTime(value: unknown, form: TimeForm): value is string {
  if (typeof value !== 'string' || !timeForms[form].pattern.test(value)) return false;
  const day = value.slice(0, 10);
  return !Number.isNaN(Date.parse(value)) && new Date(day).toISOString().startsWith(day);
}

/** The same for a field of a request. A form finds the rule in words in its context. */
export function IsTime(form: TimeForm): PropertyDecorator {
  const rule = `must be ${timeForms[form].text}`;
  return applyDecorators(
    ApiProperty({ pattern: timeForms[form].pattern.source }),
    ValidateBy(
      { name: 'isTime', validator: { validate: (value) => isTime(value, form) } },
      { message: `$property ${rule}`, context: { rule } },
    ),
  );
}
