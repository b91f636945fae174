import { type Report } from './plot-data';

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = {
  clock: new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  weekday: new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' }),
  hour: new Intl.DateTimeFormat(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }),
  // Sums of days are those of UTC days, wherever the reader is.
  day: new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' }),
} as const;

/** How the times of a report are written below a plot, and in full. */
export interface TimeTexts {
  readonly tick: (time: string) => string;
  readonly full: (time: string) => string;
  /** The times that are written below the plot; undefined: as many as there is room for. */
  readonly ticks: string[] | undefined;
  readonly note: string;
}

export function timeTextsOf({ interval, times }: Report): TimeTexts {
  if (interval === 'day') {
    const day = (time: string) => formats.day.format(new Date(time));
    return { tick: day, full: day, ticks: undefined, note: 'By day, in UTC.' };
  }
  const isOneDay = times.length <= 36;
  return {
    tick: (time) => formats[isOneDay ? 'clock' : 'weekday'].format(new Date(time)),
    full: (time) => formats.hour.format(new Date(time)),
    // Over several days, the midnights.
    ticks: isOneDay ? undefined : times.filter((time) => new Date(time).getHours() === 0),
    note: `By hour, in the time zone ${zone}.`,
  };
}
