import { uuidPattern } from '#http';
import { type UsageField } from './call-fields';
import { isDay } from './usage.dto';
import { type ReportPosition } from './usage-report.service';

/** Stands for null in a position, as in the order of the report's query. */
const nullText: Readonly<Partial<Record<UsageField, string>>> = { version: '0' };

const isVersion = (text: string) => /^\d{1,18}$/.test(text);
const isText = (text: string) => !text.includes('\0');
const isValueOf = (field: UsageField): ((text: string) => boolean) => {
  if (field === 'day') return isDay;
  if (field === 'tenant_id') return (text) => uuidPattern.test(text);
  return field === 'version' ? isVersion : isText;
};

/** @param row the last row of a page */
export function positionOfRow(
  row: Readonly<Partial<Record<UsageField, string | null>>>,
  fields: readonly UsageField[],
): ReportPosition {
  return fields.map((field) => row[field] ?? nullText[field] ?? '');
}

/** @param values the first and the last day of the report, then a position in it */
export function encodeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** @returns undefined unless the text is a cursor whose values fit these fields */
export function decodeCursor(cursor: string, fields: readonly UsageField[]): readonly string[] | undefined {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const isValid =
    Array.isArray(values) &&
    values.length === fields.length &&
    fields.every((field, at) => {
      const value: unknown = (values as unknown[])[at];
      return typeof value === 'string' && isValueOf(field)(value);
    });
  return isValid ? (values as readonly string[]) : undefined;
}
