import { AreaChart, BarChart } from '@mantine/charts';
import { useMemo } from 'react';
import { compact, whole } from '../numbers';
import { useColors } from './palette';
import { largestOf, quantities, type Quantity, type Report } from './plot-data';
import { PLOT_PX, PlotFrame } from './plot-frame';
import { timeAxisOf, timeTextsOf } from './plot-times';

/** More bars than this are too thin to be seen. */
const MAXIMUM_BARS = 62;

/** Calls or tokens over time, one layer for each tenant, model or provider, the largest at the bottom. */
export default function UsagePlot({
  report,
  quantity,
  title = quantities[quantity],
  maximum,
  height = PLOT_PX,
}: {
  report: Report;
  quantity: Quantity;
  title?: string;
  /** How many layers there are at most, without the rest. */
  maximum?: number;
  height?: number;
}) {
  const curves = useMemo(() => largestOf(report, quantity, maximum), [report, quantity, maximum]);
  const colorOf = useColors(curves);
  const texts = timeTextsOf(report);
  const data = useMemo(
    () =>
      report.times.map((time, at) => ({
        time,
        ...Object.fromEntries(curves.map(({ values }, index) => [`curve${index}`, values[at]])),
      })),
    [report.times, curves],
  );
  const legend = curves.map(({ name }) => ({ label: name, color: colorOf(name) }));
  // Names may contain dots, which a chart would take for paths.
  const series = curves.map(({ name }, index) => ({
    name: `curve${index}`,
    label: name,
    color: colorOf(name),
  }));
  const shared = {
    ...timeAxisOf(texts),
    data,
    series,
    type: 'stacked' as const,
    h: height,
    valueFormatter: whole,
    fillOpacity: 1,
    yAxisProps: { tickFormatter: compact, width: 44, allowDecimals: false },
  };
  return (
    <PlotFrame
      title={title}
      report={report}
      curves={curves}
      legend={legend}
      withSums
      format={whole}
      empty={emptyTexts[quantity]}
      height={height}
    >
      {report.times.length <= MAXIMUM_BARS ? (
        <BarChart {...shared} barProps={{ isAnimationActive: false }} />
      ) : (
        <AreaChart
          {...shared}
          curveType="linear"
          withDots={false}
          strokeWidth={0}
          areaProps={{ isAnimationActive: false }}
        />
      )}
    </PlotFrame>
  );
}

const none = { title: 'No calls', text: 'No call with these filters started in this time.' };
const emptyTexts: Readonly<Record<Quantity, { title: string; text: string }>> = {
  calls: none,
  failed: { title: 'No failed calls', text: 'Every call got a response from its provider.' },
  input_tokens: { title: 'No input tokens', text: 'The providers reported none for these calls.' },
  output_tokens: { title: 'No output tokens', text: 'The providers reported none for these calls.' },
};
