import { TextInput } from '@mantine/core';
import { type Days } from './utc-days';

/** @param onChange takes both days: one that is not in the address yet would move with the other */
export function DayFields({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const { since, until } = days;
  return (
    <>
      <TextInput
        type="date"
        label="First day"
        value={since}
        max={until}
        onChange={(event) => onChange({ since: event.currentTarget.value, until })}
      />
      <TextInput
        type="date"
        label="Last day"
        value={until}
        min={since}
        onChange={(event) => onChange({ since, until: event.currentTarget.value })}
      />
    </>
  );
}
