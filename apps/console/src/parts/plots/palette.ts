import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import { MAXIMUM_SERIES } from './plot-data';

/**
 * Blue, orange, green, magenta, cyan, olive, purple, red. Within each list every two colours, and the grey of the rest, remain apart for
 * readers who see no red, no green or no blue, and each colour has a contrast of 3:1 to the background.
 */
const colors = {
  light: ['#11418f', '#e2710d', '#006852', '#7f0083', '#25a2b3', '#8b7233', '#410c60', '#ac2d1f'],
  dark: ['#3e96e1', '#bf9b62', '#bbfcb4', '#d36a89', '#4bd3fc', '#cedd98', '#856baa', '#fea99f'],
} as const;
const restColors = { light: '#adb5bd', dark: '#5c5f66' } as const;

interface Named {
  readonly name: string;
  readonly isRest: boolean;
}

/** The color of each name. A name has the same one in every plot, unless another name of the plot has it. */
export function useColors(curves: readonly Named[]): (name: string) => string {
  const scheme = useComputedColorScheme('light');
  const places = useMemo(() => placesOf(curves), [curves]);
  return (name) => {
    const place = places.get(name);
    return place === undefined ? restColors[scheme] : colors[scheme][place]!;
  };
}

/** The place of each name in the list of colors; that of its hash, or the next free one. */
export function placesOf(curves: readonly Named[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const taken = new Set<number>();
  const names = new Set(curves.filter(({ isRest }) => !isRest).map(({ name }) => name));
  for (const name of [...names].sort()) {
    let place = hashOf(name) % MAXIMUM_SERIES;
    while (taken.has(place) && taken.size < MAXIMUM_SERIES) place = (place + 1) % MAXIMUM_SERIES;
    taken.add(place);
    places.set(name, place);
  }
  return places;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}
