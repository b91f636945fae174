import { Box, Group, Skeleton, Text, VisuallyHidden } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { Empty } from '../loaded';
import { type Curve, type Report } from './plot-data';
import { timeTextsOf } from './plot-times';

/** An entry of the legend. */
export interface LegendEntry {
  readonly label: string;
  readonly color: string;
}

/** The parts of a plot that are text: its legend, its time zone, and what a screen reader reads in its place. */
export function PlotFrame({
  title,
  report,
  curves,
  legend,
  note,
  withSums = false,
  format,
  empty,
  height,
  children,
}: {
  title: string;
  report: Report;
  curves: readonly Curve[];
  legend: readonly LegendEntry[];
  /** How to read it, if the legend does not say it. */
  note?: string;
  /** The values may be added up. */
  withSums?: boolean;
  format: (value: number) => string;
  /** What it means that there is nothing to plot. */
  empty: { readonly title: string; readonly text: string };
  height: number;
  children: ReactNode;
}) {
  const titleId = useId();
  const { note: times } = timeTextsOf(report);
  if (curves.length === 0) return <Empty title={empty.title}>{empty.text}</Empty>;
  return (
    <Box component="figure" m={0} aria-labelledby={titleId}>
      <VisuallyHidden id={titleId}>{title}</VisuallyHidden>
      <Box role="img" aria-label={`${title}. ${times} The table after it has its figures.`} h={height}>
        {children}
      </Box>
      <Group component="ul" gap="2px 12px" m={0} mt="xs" p={0} style={{ listStyle: 'none' }}>
        {legend.map(({ label, color }) => (
          <Group component="li" key={label} gap={6} wrap="nowrap" maw="100%">
            <Swatch color={color} />
            <Text size="xs">{label}</Text>
          </Group>
        ))}
      </Group>
      <Text size="xs" c="dimmed" mt={4}>
        {note} {times}
      </Text>
      <VisuallyHidden>
        <Summary title={title} report={report} curves={curves} withSums={withSums} format={format} />
      </VisuallyHidden>
    </Box>
  );
}

export function Swatch({ color, isDashed = false }: { color: string; isDashed?: boolean }) {
  return (
    <svg width={16} height={10} aria-hidden style={{ flexShrink: 0 }}>
      {isDashed ? (
        <line x1={0} x2={16} y1={5} y2={5} stroke={color} strokeWidth={2} strokeDasharray="4 3" />
      ) : (
        <rect width={16} height={10} rx={2} fill={color} />
      )}
    </svg>
  );
}

/** A row for each curve: all values would be hundreds of cells. */
function Summary({
  title,
  report,
  curves,
  withSums,
  format,
}: {
  title: string;
  report: Report;
  curves: readonly Curve[];
  withSums: boolean;
  format: (value: number) => string;
}) {
  const { full } = timeTextsOf(report);
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? 'none' : format(value);
  return (
    <table>
      <caption>
        {title}, {full(report.times[0]!)} to {full(report.times.at(-1)!)}
      </caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          {withSums && <th scope="col">Sum</th>}
          <th scope="col">Highest</th>
          <th scope="col">At</th>
          <th scope="col">Latest</th>
        </tr>
      </thead>
      <tbody>
        {curves.map(({ name, values }) => {
          const highest = Math.max(...values.map((value) => value ?? 0));
          const sum = values.reduce<number>((before, value) => before + (value ?? 0), 0);
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              {withSums && <td>{format(sum)}</td>}
              <td>{format(highest)}</td>
              <td>{full(report.times[values.indexOf(highest)]!)}</td>
              <td>{text(values.at(-1))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Keeps the place of a plot whose code is being loaded. */
export function PlotPlace({ height }: { height: number }) {
  return <Skeleton h={height} aria-label="Loading" />;
}
