import { useMemo } from 'react';
import { duration } from '../numbers';
import { useColors } from './palette';
import { type Curve, nameOf, type Report } from './plot-data';
import { PlotFrame } from './plot-frame';
import { timeTextsOf } from './plot-times';
import { TimeChart } from './time-chart';

/** More pairs of lines than this are a tangle. */
const MAXIMUM_PAIRS = 4;

const empty = {
  title: 'No completed calls',
  text: 'Durations are those of completed calls, by hour, for the last 14 days.',
};

/** How long completed calls took: for each provider or model the median, and the duration that 95 % did not exceed. */
export default function LatencyPlot({
  report,
  title,
  height,
}: {
  report: Report;
  title: string;
  height: number;
}) {
  const pairs = useMemo(
    () =>
      report.series
        .filter((one) => !one.is_rest && one.p95_ms.some((ms) => ms !== null))
        .slice(0, MAXIMUM_PAIRS)
        .flatMap((one): (Curve & { of: string; isDashed: boolean })[] => [
          { of: nameOf(one), name: `${nameOf(one)} p95`, isRest: false, isDashed: false, values: one.p95_ms },
          { of: nameOf(one), name: `${nameOf(one)} p50`, isRest: false, isDashed: true, values: one.p50_ms },
        ]),
    [report],
  );
  const names = useMemo(() => pairs.map(({ of }) => ({ name: of, isRest: false })), [pairs]);
  const colorOf = useColors(names);
  return (
    <PlotFrame
      title={title}
      report={report}
      curves={pairs}
      legend={pairs.filter(({ isDashed }) => !isDashed).map(({ of }) => ({ label: of, color: colorOf(of) }))}
      note="Solid: 95 % of the calls were at least as fast (p95). Dashed: half of them were (p50)."
      format={duration}
      empty={empty}
      height={height}
    >
      <TimeChart
        kind="lines"
        times={report.times}
        curves={pairs}
        colorOf={({ of }) => colorOf(of)}
        isDashed={({ isDashed }) => isDashed}
        texts={timeTextsOf(report)}
        format={duration}
        axis={{ format: duration, px: 52 }}
        height={height}
      />
    </PlotFrame>
  );
}
