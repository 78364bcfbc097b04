// Where things are on the map. The same machines are always at the same places: nothing is random, nothing settles. Few stand on a ring by name, and
// keep their places whatever becomes of their links; many stand in groups of a state, with lines to groups and to what is notable.
import { groupByState, isNotable, type LinkState, type MapMachine, type MeshMap } from "./map-model.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface MapFrame {
  readonly width: number;
  readonly height: number;
  /** More machines than this around the focus are grouped. */
  readonly mostOnRing: number;
}

export interface PlacedMachine extends Point {
  readonly machine: MapMachine;
  readonly radius: number;
  /** Null: it has none, for want of room. */
  readonly label: Point | null;
}

export interface PlacedLink {
  readonly id: string;
  readonly state: LinkState;
  readonly points: readonly Point[];
  /** Of a group, not of a machine. */
  readonly isBundle: boolean;
  readonly isLossy: boolean;
}

export interface PlacedGroup extends Point {
  readonly state: LinkState;
  readonly count: number;
  readonly radius: number;
  readonly label: Point;
}

export interface MapLayout {
  readonly focus: PlacedMachine;
  readonly machines: readonly PlacedMachine[];
  readonly links: readonly PlacedLink[];
  /** Empty on a ring. */
  readonly groups: readonly PlacedGroup[];
}

const FOCUS_RADIUS = 12;
const RING_RADIUS = 8;
const LABEL_GAP = 10;
/** Room for a name beside the ring's leftmost machine, and for two lines above and below. */
const RING_MARGIN = { x: 56, y: 44 };

export function layOutMap(map: MeshMap, frame: MapFrame): MapLayout {
  const center = { x: frame.width / 2, y: frame.height / 2 };
  const label = { x: center.x, y: center.y + FOCUS_RADIUS + LABEL_GAP + 6 };
  const focus = { machine: map.focus, ...center, radius: FOCUS_RADIUS, label };
  return { focus, ...(map.others.length <= frame.mostOnRing ? layOutRing(map, frame) : layOutGroups(map, frame)) };
}

type Around = Omit<MapLayout, "focus">;

function layOutRing({ others }: MeshMap, { width, height }: MapFrame): Around {
  const center = { x: width / 2, y: height / 2 };
  const ellipse = toEllipse(center, { x: center.x - RING_MARGIN.x, y: center.y - RING_MARGIN.y });
  const machines = others.map((machine, index): PlacedMachine => {
    const point = ellipse.at(index / others.length);
    // Away from the middle, where the links are.
    const isAbove = point.y < center.y - 1;
    const label = { x: point.x, y: isAbove ? point.y - RING_RADIUS - 6 : point.y + RING_RADIUS + LABEL_GAP + 4 };
    return { machine, ...point, radius: RING_RADIUS, label };
  });
  return { machines, links: toLinks(machines, center, () => true), groups: [] };
}

const NO_LINK: ReadonlySet<LinkState> = new Set(["offline", "unknown"]);

function toLinks(
  machines: readonly PlacedMachine[],
  center: Point,
  isDrawn: (machine: MapMachine) => boolean,
): PlacedLink[] {
  const places = new Map(machines.map((placed) => [placed.machine.id, toPoint(placed)]));
  return machines.flatMap((placed) => {
    const { id, state, viaId, isLossy } = placed.machine;
    if (NO_LINK.has(state) || !isDrawn(placed.machine)) return [];
    const via = viaId === null ? undefined : places.get(viaId);
    return [{ id, state, isLossy, isBundle: false, points: [center, ...(via ? [via] : []), toPoint(placed)] }];
  });
}

const toPoint = ({ x, y }: Point): Point => ({ x, y });

const DOT_RADIUS = 4;
const NOTABLE_RADIUS = 5.5;
/** From dot to dot, when there is room. */
const DOT_GAP = 14;
const GROUP_GAP = 30;
const GROUP_LABEL = 22;
/** Of the frame's shorter side: the largest group. */
const LARGEST_SHARE = 0.19;
/** The angle between dots that follow each other in a sunflower's head: they fill a circle evenly, however many there are. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
const MOST_LINKS = 40;

function layOutGroups({ others }: MeshMap, { width, height }: MapFrame): Around {
  const center = { x: width / 2, y: height / 2 };
  const grouped = groupByState(others);
  const natural = grouped.map(({ machines }) => toGroupRadius(machines.length, DOT_GAP));
  const largest = Math.min(width, height) * LARGEST_SHARE;
  const reach = Math.min(largest, Math.max(...natural)) + 8;
  const ellipse = toEllipse(center, { x: center.x - reach, y: center.y - reach - GROUP_LABEL / 2 });
  const room = ellipse.length * 0.92 - grouped.length * GROUP_GAP;
  const scale = Math.min(
    1,
    largest / Math.max(...natural),
    room / natural.reduce((sum, radius) => sum + 2 * radius, 0),
  );
  const radii = natural.map((radius) => radius * scale);
  const total = radii.reduce((sum, radius) => sum + 2 * radius + GROUP_GAP, 0);
  let passed = 0;
  const groups: PlacedGroup[] = [];
  const machines: PlacedMachine[] = [];
  for (const [index, { state, machines: members }] of grouped.entries()) {
    const radius = radii[index] ?? 0;
    const share = (2 * radius + GROUP_GAP) / total;
    const middle = ellipse.at(passed + share / 2);
    passed += share;
    // Away from the middle, as on a ring.
    const labelY = middle.y < center.y ? middle.y - radius - 6 : middle.y + radius + 14;
    groups.push({ state, count: members.length, radius, ...middle, label: { x: middle.x, y: labelY } });
    machines.push(...toDots(members, middle, DOT_GAP * scale));
  }
  let drawn = 0;
  const notable = toLinks(machines, center, (machine) => isNotable(machine) && drawn++ < MOST_LINKS);
  const drawnIds = new Set(notable.map(({ id }) => id));
  const isBundled = (state: LinkState) =>
    !NO_LINK.has(state) &&
    state !== "idle" &&
    machines.some(({ machine }) => machine.state === state && !drawnIds.has(machine.id));
  const bundles = groups
    .filter(({ state }) => isBundled(state))
    .map((group) => ({
      id: `group ${group.state}`,
      state: group.state,
      isLossy: false,
      isBundle: true,
      points: [center, toward(group, center, group.radius)],
    }));
  return { machines, groups, links: [...bundles, ...notable] };
}

const toGroupRadius = (count: number, gap: number): number => gap * 0.56 * Math.sqrt(count) + DOT_RADIUS + 6;

function toDots(machines: readonly MapMachine[], middle: Point, gap: number): PlacedMachine[] {
  // Gateways first, so that they are in the middle of their group.
  const ordered = machines.toSorted((a, b) => Number(b.isGateway) - Number(a.isGateway));
  const most = Math.max(1.5, gap * 0.42);
  return ordered.map((machine, index) => {
    const [distance, angle] = [gap * 0.56 * Math.sqrt(index), index * GOLDEN_ANGLE];
    const [x, y] = [middle.x + distance * Math.cos(angle), middle.y + distance * Math.sin(angle)];
    const radius = Math.min(most, machine.isGateway || isNotable(machine) ? NOTABLE_RADIUS : DOT_RADIUS);
    // Of the machines in a group one gateway has its name: more would lie on each other.
    const label = machine.isGateway && index === 0 ? { x, y: y - radius - 4 } : null;
    return { machine, x, y, radius, label };
  });
}

function toward(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) * distance) / length, y: from.y + ((to.y - from.y) * distance) / length };
}

const STEPS = 360;

/** Its points by the share of its circumference, from the top with the clock: things stand evenly on it, which equal angles would not do. */
function toEllipse(center: Point, radii: Point): { readonly length: number; at(share: number): Point } {
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
      const step = lengths.findIndex((passed) => passed >= share * length - 1e-9);
      return points[step] ?? center;
    },
  };
}
