import { useMemo } from 'react';
import { compact, whole } from '../numbers';
import { useColors } from './palette';
import { largestOf, type Quantity, type Report } from './plot-data';
import { PlotFrame } from './plot-frame';
import { timeTextsOf } from './plot-times';
import { TimeChart } from './time-chart';

/** More bars than this are too thin to be seen. */
const MAXIMUM_BARS = 62;

/** Calls or tokens over time, one layer for each tenant, model or provider, the largest at the bottom. */
export default function UsagePlot({
  report,
  quantity,
  title,
  maximum,
  height,
}: {
  report: Report;
  quantity: Quantity;
  title: string;
  /** How many layers there are at most, without the rest. */
  maximum?: number;
  height: number;
}) {
  const curves = useMemo(() => largestOf(report, quantity, maximum), [report, quantity, maximum]);
  const colorOf = useColors(curves);
  return (
    <PlotFrame
      title={title}
      report={report}
      curves={curves}
      legend={curves.map(({ name }) => ({ label: name, color: colorOf(name) }))}
      withSums
      format={whole}
      empty={emptyTexts[quantity]}
      height={height}
    >
      <TimeChart
        kind={report.times.length <= MAXIMUM_BARS ? 'bars' : 'areas'}
        times={report.times}
        curves={curves}
        colorOf={({ name }) => colorOf(name)}
        texts={timeTextsOf(report)}
        format={whole}
        axis={{ format: compact, px: 44 }}
        height={height}
      />
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
