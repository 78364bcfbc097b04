// The lines of a sparkline. Pure.

export interface SparkFrame {
  readonly width: number;
  readonly height: number;
  /** The value at the upper edge. */
  readonly top: number;
}

/** The newest sample is at the right edge; a chart that is not full yet begins further right. */
const CAPACITY = 60;

export function toSparkPath(
  samples: readonly (number | null)[],
  { width, height, top }: SparkFrame,
): { readonly line: string; readonly area: string } {
  const newest = samples.slice(-CAPACITY);
  const toX = (index: number) => ((CAPACITY - newest.length + index) / (CAPACITY - 1)) * width;
  const toY = (value: number) => height - 1 - (Math.min(value, top) / top) * (height - 2);
  const runs: { x: number; y: number }[][] = [[]];
  newest.forEach((value, index) => {
    if (value === null) runs.push([]);
    else runs.at(-1)?.push({ x: toX(index), y: toY(value) });
  });
  const drawn = runs.filter((run) => run.length > 1);
  const lines = drawn.map((run) => `M${run.map(renderPoint).join("L")}`);
  const areas = drawn.map(
    (run, index) =>
      `${lines[index]}L${renderPoint({ x: run.at(-1)?.x ?? 0, y: height })}L${renderPoint({ x: run[0]?.x ?? 0, y: height })}Z`,
  );
  return { line: lines.join(""), area: areas.join("") };
}

const renderPoint = ({ x, y }: { x: number; y: number }): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
