import { TextInput } from '@mantine/core';
import { type ReactNode } from 'react';
import { Notice } from '../notice';
import { type Days, faultOf } from './utc-days';

/** @param onChange takes both days: one that is not in the address yet would move with the other */
export function DayFields({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const { since, until } = days;
  const isFaulty = faultOf(days) !== undefined;
  return (
    <>
      <TextInput
        type="date"
        label="First day"
        value={since}
        max={until}
        error={isFaulty}
        onChange={(event) => onChange({ since: event.currentTarget.value, until })}
      />
      <TextInput
        type="date"
        label="Last day"
        value={until}
        min={since}
        error={isFaulty}
        onChange={(event) => onChange({ since, until: event.currentTarget.value })}
      />
    </>
  );
}

/** Shows what reads the usage of some days, or why the API would refuse them, so that nothing is asked in vain. */
export function ForDays({ days, children }: { days: Days; children: ReactNode }) {
  const fault = faultOf(days);
  return fault === undefined ? children : <Notice title="Choose other days">{fault}</Notice>;
}
