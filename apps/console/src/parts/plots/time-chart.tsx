import { Group, Paper, Text } from '@mantine/core';
import { useMemo } from 'react';
import {
  Area,
  AreaChart,
  Bar,
  BarChart,
  CartesianGrid,
  Line,
  LineChart,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from 'recharts';
import { type Curve } from './plot-data';
import { Swatch } from './plot-frame';
import { type TimeTexts } from './plot-times';

const charts = { bars: BarChart, areas: AreaChart, lines: LineChart } as const;
type Kind = keyof typeof charts;

const tick = { fontSize: 12, fill: 'var(--mantine-color-dimmed)' } as const;
const tickLine = { stroke: 'var(--plot-grid-color)' } as const;
const grid = { stroke: 'var(--plot-grid-color)', strokeDasharray: '5 5' } as const;
const cursor = { ...grid, strokeWidth: 1, fill: 'var(--plot-cursor-color)' } as const;

interface Props<AnyCurve extends Curve> {
  times: readonly string[];
  curves: readonly AnyCurve[];
  colorOf: (curve: AnyCurve) => string;
  isDashed?: (curve: AnyCurve) => boolean;
  texts: TimeTexts;
  format: (value: number) => string;
}

/** Curves over time. Bars and areas are stacked, the first at the bottom. */
export function TimeChart<AnyCurve extends Curve>({
  kind,
  axis,
  height,
  ...drawn
}: Props<AnyCurve> & {
  kind: Kind;
  /** The texts of the values' axis, and how wide they are. */
  axis: { readonly format: (value: number) => string; readonly px: number };
  height: number;
}) {
  const { times, curves, texts } = drawn;
  const rows = useMemo(
    () => times.map((time, at) => ({ time, ...curves.map(({ values }) => values[at]) })),
    [times, curves],
  );
  const Chart = charts[kind];
  return (
    // The table after the plot is what is read and reached with the keyboard in its place.
    <Chart
      className="plot"
      responsive
      style={{ width: '100%', height }}
      data={rows}
      accessibilityLayer={false}
    >
      <CartesianGrid {...grid} vertical={false} />
      <XAxis
        dataKey="time"
        height={24}
        axisLine={false}
        tickLine={tickLine}
        tick={{ ...tick, transform: 'translate(0, 10)' }}
        tickFormatter={texts.tick}
        ticks={texts.ticks}
        interval="equidistantPreserveStart"
        minTickGap={16}
      />
      <YAxis
        width={axis.px}
        axisLine={false}
        tickLine={tickLine}
        tick={{ ...tick, transform: 'translate(-10, 0)' }}
        tickFormatter={axis.format}
        allowDecimals={false}
      />
      <Tooltip
        isAnimationActive={false}
        position={{ y: 0 }}
        cursor={cursor}
        content={(pointed) => <Values {...drawn} {...pointed} />}
      />
      {curves.map((curve, index) => shapeOf(kind, index, drawn.colorOf(curve), drawn.isDashed?.(curve)))}
    </Chart>
  );
}

function shapeOf(kind: Kind, index: number, color: string, isDashed = false) {
  const shared = { dataKey: index, fill: color, isAnimationActive: false };
  if (kind === 'bars') return <Bar key={index} {...shared} stackId="stack" />;
  if (kind === 'areas') {
    return <Area key={index} {...shared} stackId="stack" fillOpacity={1} stroke="none" activeDot={false} />;
  }
  return (
    <Line
      key={index}
      {...shared}
      stroke={color}
      strokeWidth={2}
      strokeDasharray={isDashed ? '4 3' : undefined}
      dot={false}
      activeDot={false}
    />
  );
}

/** The values of the time that is pointed at. */
function Values<AnyCurve extends Curve>({
  times,
  curves,
  colorOf,
  isDashed,
  texts,
  format,
  active,
  label,
}: Props<AnyCurve> & Pick<TooltipContentProps, 'active' | 'label'>) {
  const at = times.indexOf(String(label));
  if (!active || at === -1) return null;
  return (
    <Paper withBorder shadow="md" px="md" py="xs" miw={200}>
      <Text fw={500} c="bright" mb="xs">
        {texts.full(times[at]!)}
      </Text>
      {curves.map((curve) => {
        const value = curve.values[at]!;
        if (value === null) return null;
        return (
          <Group key={curve.name} justify="space-between" gap="xl" wrap="nowrap" mb={6}>
            <Group gap="sm" wrap="nowrap">
              <Swatch color={colorOf(curve)} isDashed={isDashed?.(curve)} />
              <Text size="sm">{curve.name}</Text>
            </Group>
            <Text size="sm" c="bright">
              {format(value)}
            </Text>
          </Group>
        );
      })}
    </Paper>
  );
}
