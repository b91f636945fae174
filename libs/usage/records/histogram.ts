import { type Histogram as PromHistogram, type Registry } from 'prom-client';

/** One series of a histogram. Each observation is a few additions. */
export class HistogramSeries {
  /** By bucket, the last one for values above all bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(
    readonly labels: Readonly<Record<string, string>>,
    private readonly bounds: readonly number[],
  ) {
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += value;
  }
}

/**
 * A histogram whose series are looked up once. That of prom-client builds and hashes the labels at each observation, which takes
 * longer than everything else that is counted of a call.
 */
export class Histogram {
  readonly #series: HistogramSeries[] = [];

  constructor(
    private readonly options: {
      readonly name: string;
      readonly help: string;
      /** Ascending. */
      readonly bounds: readonly number[];
      readonly registry: Registry;
    },
  ) {
    // The registry calls nothing but `get`, and reads the name.
    options.registry.registerMetric({
      name: options.name,
      get: () => this.get(),
    } as unknown as PromHistogram);
  }

  /** A new series. Call it once for the same labels. */
  series(labels: Readonly<Record<string, string>> = {}): HistogramSeries {
    const series = new HistogramSeries(labels, this.options.bounds);
    this.#series.push(series);
    return series;
  }

  /** Never fails; a promise because the registry expects one. */
  private get() {
    const { name, help, bounds } = this.options;
    const values = this.#series.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const buckets = counts.map((each, at) => {
        count += each;
        return {
          metricName: `${name}_bucket`,
          labels: { le: String(bounds[at] ?? '+Inf'), ...labels },
          value: count,
        };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }
}
