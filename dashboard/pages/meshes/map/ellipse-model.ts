// Points on an ellipse, evenly by its length. Pure.
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Ellipse {
  readonly length: number;
  /** From the top with the clock; 1 is where 0 is. */
  at(share: number): Point;
}

export function toward(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) * distance) / length, y: from.y + ((to.y - from.y) * distance) / length };
}

const STEPS = 360;

/** Its points by the share of its circumference, from the top with the clock: things stand evenly on it, which equal angles would not do. */
export function toEllipse(center: Point, radii: Point): Ellipse {
  const onAngle = (angle: number): Point => ({
    x: center.x + radii.x * Math.sin(angle),
    y: center.y - radii.y * Math.cos(angle),
  });
  const points = Array.from({ length: STEPS + 1 }, (_, step) => onAngle((2 * Math.PI * step) / STEPS));
  const lengths = [0];
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before) lengths.push((lengths.at(-1) ?? 0) + Math.hypot(point.x - before.x, point.y - before.y));
  }
  const length = lengths.at(-1) ?? 0;
  return {
    length,
    at(share) {
      const around = share - Math.floor(share);
      const step = lengths.findIndex((passed) => passed >= around * length - 1e-9);
      return points[step] ?? center;
    },
  };
}
