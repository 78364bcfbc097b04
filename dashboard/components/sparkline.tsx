// A small chart of the newest samples. Null samples leave a gap.
import { toSparkPath } from "./spark-path.ts";

interface SparklineProps {
  readonly label: string;
  readonly samples: readonly (number | null)[];
  /** The newest value in words. */
  readonly value: string;
  readonly format: (value: number) => string;
  /** The least top of the scale, so that noise does not look like mountains. */
  readonly leastTop: number;
}

const WIDTH = 240;
const HEIGHT = 44;

export function Sparkline({ label, samples, value, format, leastTop }: SparklineProps) {
  const known = samples.filter((sample) => sample !== null);
  const top = Math.max(leastTop, ...known);
  const { line, area } = toSparkPath(samples, { width: WIDTH, height: HEIGHT, top });
  return (
    <figure className="min-w-0 rounded-md border border-line bg-surface p-3">
      <figcaption className="flex items-baseline justify-between gap-2">
        <span className="text-muted text-xs">{label}</span>
        <span className="font-medium">{value}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="mt-2 h-11 w-full text-accent"
        role="img"
        aria-label={
          known.length === 0 ? `${label}: nothing measured yet` : `${label}: highest ${format(Math.max(...known))}`
        }
      >
        <path d={area} className="fill-accent-soft" />
        <path d={line} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
      </svg>
      <p className="mt-1 text-faint text-xs">
        {known.length === 0 ? "nothing measured yet" : `highest ${format(Math.max(...known))}`}
      </p>
    </figure>
  );
}
