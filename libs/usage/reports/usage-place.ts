import { isTime, uuidPattern } from '#http';
import { type UsageField, type UsagePlace } from './usage-report.service';

/** Nothing in the place of null: see the order in UsageReport. */
const nothing: Readonly<Partial<Record<UsageField, string>>> = { version: '0' };

const isVersion = (text: string) => /^\d{1,18}$/.test(text);
const isText = (text: string) => !text.includes('\0');
const isValueOf = (field: UsageField): ((text: string) => boolean) => {
  if (field === 'day') return (text) => isTime(text, 'day');
  if (field === 'tenant_id') return (text) => uuidPattern.test(text);
  return field === 'version' ? isVersion : isText;
};

/** @param row the last of a page */
export function placeOfRow(
  row: Readonly<Partial<Record<UsageField, string | null>>>,
  fields: readonly UsageField[],
): UsagePlace {
  return fields.map((field) => row[field] ?? nothing[field] ?? '');
}

/** @param place the report's days, then where in it */
export function cursorOfPlace(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @returns undefined for what is no cursor with values of these fields */
export function placeOfCursor(cursor: string, fields: readonly UsageField[]): readonly string[] | undefined {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const isPlace =
    Array.isArray(place) &&
    place.length === fields.length &&
    fields.every((field, at) => {
      const value: unknown = (place as unknown[])[at];
      return typeof value === 'string' && isValueOf(field)(value);
    });
  return isPlace ? (place as readonly string[]) : undefined;
}
