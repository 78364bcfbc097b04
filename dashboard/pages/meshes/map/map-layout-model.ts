// Where things are on the map. The same machines are always at the same places: nothing is random, nothing settles. Few stand on a ring by name, and
// keep their places whatever becomes of their links; many stand in groups of a state, with lines to groups and to what is notable. Where machines
// have sites, those of a site stand together on the ring, and groups are sites.
import { type Ellipse, type Point, toEllipse, toward } from "./ellipse-model.ts";
import {
  groupByState,
  isNotable,
  LINK_STATES,
  type LinkState,
  type MapMachine,
  type MeshMap,
  STATE_WORDS,
} from "./map-model.ts";
import { groupBySite, hasSites, type SiteGroup } from "./map-sites-model.ts";

export interface MapFrame {
  readonly width: number;
  readonly height: number;
  /** More machines than this around the focus are grouped. */
  readonly mostOnRing: number;
  /** More sites than this are not shown apart: the largest are. */
  readonly mostSites: number;
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
  readonly name: string;
  /** Null: of a site, and in any state. */
  readonly state: LinkState | null;
  readonly count: number;
  readonly radius: number;
  readonly label: Point;
}

/** A site on the ring: a band around its machines. */
export interface PlacedSite {
  readonly name: string;
  readonly points: readonly Point[];
  readonly label: Point;
}

export interface MapLayout {
  readonly focus: PlacedMachine;
  readonly machines: readonly PlacedMachine[];
  readonly links: readonly PlacedLink[];
  /** Empty on a ring. */
  readonly groups: readonly PlacedGroup[];
  /** On a ring only. */
  readonly sites: readonly PlacedSite[];
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
  const runs = hasSites(others) ? groupBySite(others, others.length) : [];
  const ordered = runs.length === 0 ? others : runs.flatMap((run) => run.machines);
  // A site begins and ends with a gap.
  const gaps = runs.length > 1 ? runs.length : 0;
  const slots = others.length + gaps * SITE_GAP;
  const shareOf = (index: number, before: number) => (index + before * SITE_GAP) / slots;
  const runOf = new Map(runs.flatMap((run, index) => run.machines.map(({ id }) => [id, index] as const)));
  const machines = ordered.map((machine, index): PlacedMachine => {
    const point = ellipse.at(shareOf(index, gaps === 0 ? 0 : (runOf.get(machine.id) ?? 0)));
    // Away from the middle, where the links are.
    const isAbove = point.y < center.y - 1;
    const label = { x: point.x, y: isAbove ? point.y - RING_RADIUS - 6 : point.y + RING_RADIUS + LABEL_GAP + 4 };
    return { machine, ...point, radius: RING_RADIUS, label };
  });
  let first = 0;
  const sites = runs.flatMap((run, index): PlacedSite[] => {
    const from = shareOf(first, gaps === 0 ? 0 : index);
    first += run.machines.length;
    if (run.site === null) return [];
    return [toBand(run.name, ellipse, center, { from, to: from + (run.machines.length - 1) / slots })];
  });
  return { machines, links: toLinks(machines, center, () => true), groups: [], sites };
}

/** Of the room of a machine. */
const SITE_GAP = 0.7;
const BAND_STEP = 0.01;
/** From the ring inwards: clear of the band, and at the sides of the names in it. */
const SITE_LABEL = { near: 44, beside: 44 };

function toBand(
  name: string,
  ellipse: Ellipse,
  center: Point,
  { from, to }: { readonly from: number; readonly to: number },
): PlacedSite {
  const steps = Math.max(1, Math.ceil((to - from) / BAND_STEP));
  const points = Array.from({ length: steps + 1 }, (_, step) => ellipse.at(from + ((to - from) * step) / steps));
  const middle = ellipse.at((from + to) / 2);
  const slant = Math.abs(center.x - middle.x) / (Math.hypot(center.x - middle.x, center.y - middle.y) || 1);
  const { x, y } = toward(middle, center, SITE_LABEL.near + SITE_LABEL.beside * slant);
  return { name, points, label: { x, y: y + 4 } };
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
/** Half of the longest one. */
const GROUP_LABEL_ROOM = 60;
/** Of the frame's shorter side: the largest group. */
const LARGEST_SHARE = 0.19;
/** The angle between dots that follow each other in a sunflower's head: they fill a circle evenly, however many there are. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
const MOST_LINKS = 40;

interface Group {
  readonly name: string;
  readonly state: LinkState | null;
  readonly machines: readonly MapMachine[];
}

const toGroups = (others: readonly MapMachine[], mostSites: number): Group[] =>
  hasSites(others)
    ? groupBySite(others, mostSites).map((group: SiteGroup) => ({ ...group, state: null }))
    : groupByState(others).map((group) => ({ ...group, name: STATE_WORDS[group.state].label }));

function layOutGroups({ others }: MeshMap, { width, height, mostSites }: MapFrame): Around {
  const center = { x: width / 2, y: height / 2 };
  const grouped = toGroups(others, mostSites);
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
  for (const [index, { name, state, machines: members }] of grouped.entries()) {
    const radius = radii[index] ?? 0;
    const share = (2 * radius + GROUP_GAP) / total;
    const middle = ellipse.at(passed + share / 2);
    passed += share;
    // Away from the middle, as on a ring.
    const labelY = middle.y < center.y ? middle.y - radius - 6 : middle.y + radius + 14;
    groups.push({
      name,
      state,
      count: members.length,
      radius,
      ...middle,
      label: { x: clamp(middle.x, GROUP_LABEL_ROOM, width - GROUP_LABEL_ROOM), y: labelY },
    });
    machines.push(...toDots(members, middle, DOT_GAP * scale));
  }
  let drawn = 0;
  const notable = toLinks(machines, center, (machine) => isNotable(machine) && drawn++ < MOST_LINKS);
  const drawnIds = new Set(notable.map(({ id }) => id));
  const bundles = groups.flatMap((group, index): PlacedLink[] => {
    const states = (grouped[index]?.machines ?? [])
      .filter(({ id, state }) => isLinked(state) && !drawnIds.has(id))
      .map(({ state }) => state);
    const state = findMostCommon(states);
    if (state === null) return [];
    const points = [center, toward(group, center, group.radius)];
    return [{ id: `group ${group.name}`, state, isLossy: false, isBundle: true, points }];
  });
  return { machines, groups, links: [...bundles, ...notable], sites: [] };
}

const isLinked = (state: LinkState): boolean => !NO_LINK.has(state) && state !== "idle";

function findMostCommon(states: readonly LinkState[]): LinkState | null {
  const count = (wanted: LinkState) => states.filter((state) => state === wanted).length;
  const [first] = LINK_STATES.filter(isLinked).toSorted((a, b) => count(b) - count(a));
  return first === undefined || count(first) === 0 ? null : first;
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

const toGroupRadius = (count: number, gap: number): number => gap * 0.56 * Math.sqrt(count) + DOT_RADIUS + 6;

function toDots(machines: readonly MapMachine[], middle: Point, gap: number): PlacedMachine[] {
  // Gateways first, so that they are in the middle of their group, and around them what needs looking at.
  const ordered = machines.toSorted(
    (a, b) => Number(b.isGateway) - Number(a.isGateway) || LINK_STATES.indexOf(a.state) - LINK_STATES.indexOf(b.state),
  );
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
