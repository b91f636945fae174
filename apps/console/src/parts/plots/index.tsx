import { type ComponentProps, lazy, Suspense } from 'react';
import { PlotPlace } from './plot-frame';

// The charts are larger than the rest of the console, so they are loaded when the first one is shown.
const LazyUsagePlot = lazy(() => import('./usage-plot'));
const LazyLatencyPlot = lazy(() => import('./latency-plot'));

export function UsagePlot(props: ComponentProps<typeof LazyUsagePlot>) {
  return (
    <Suspense fallback={<PlotPlace height={props.height} />}>
      <LazyUsagePlot {...props} />
    </Suspense>
  );
}

export function LatencyPlot(props: ComponentProps<typeof LazyLatencyPlot>) {
  return (
    <Suspense fallback={<PlotPlace height={props.height} />}>
      <LazyLatencyPlot {...props} />
    </Suspense>
  );
}
