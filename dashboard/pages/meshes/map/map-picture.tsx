import { Link } from "@tanstack/react-router";
import { classNames } from "../../../lib/class-names.ts";
import type { Point } from "./ellipse-model.ts";
import { LINK_STYLES } from "./link-style.ts";
import type { MapFrame, MapLayout, PlacedGroup, PlacedLink, PlacedMachine, PlacedSite } from "./map-layout-model.ts";
import type { MapSearch } from "./map-search.ts";

interface MapPictureProps {
  readonly layout: MapLayout;
  readonly frame: MapFrame;
  /** In a sentence, for those who don't see it. */
  readonly label: string;
}

export const MapPicture = ({ layout, frame, label }: MapPictureProps) => {
  const { focus, machines, links, groups, sites } = layout;
  return (
    <figure aria-label={label}>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the figure has the name; a title would be a tooltip over the whole map. */}
      <svg viewBox={`0 0 ${frame.width} ${frame.height}`} className="block h-auto w-full">
        {sites.map((site) => (
          <SiteBand key={site.name} site={site} />
        ))}
        {groups.map((group) => (
          <GroupArea key={group.name} group={group} />
        ))}
        {links.map((link) => (
          <LinkLine key={link.id} link={link} />
        ))}
        {namedLast(machines).map((placed) => (
          <MachineMark key={placed.machine.id} placed={placed} hasStop={groups.length === 0} />
        ))}
        {machines.map((placed) => (
          <Joins key={placed.machine.id} placed={placed} />
        ))}
        {groups.map((group) => (
          <GroupName key={group.name} group={group} />
        ))}
        {sites.map((site) => (
          <SiteName key={site.name} site={site} />
        ))}
        <FocusMark placed={focus} />
        <Joins placed={focus} below={FOCUS_TEXT_DROP} />
      </svg>
    </figure>
  );
};

/** What comes last lies on top: no dot of a group hides a name. */
const namedLast = (machines: readonly PlacedMachine[]): PlacedMachine[] =>
  machines.toSorted((a, b) => Number(a.label !== null) - Number(b.label !== null));

/** Its name is drawn later, over the lines. */
const GroupArea = ({ group: { x, y, radius } }: { readonly group: PlacedGroup }) => (
  <circle cx={x} cy={y} r={radius} className="fill-sunken stroke-line" />
);

const HALO = { strokeWidth: 4, paintOrder: "stroke", strokeLinejoin: "round" } as const;

const GroupName = ({ group: { name, count, label } }: { readonly group: PlacedGroup }) => (
  <text x={label.x} y={label.y} textAnchor="middle" {...HALO} className="fill-muted stroke-surface text-xs">
    <tspan className="fill-ink font-semibold">{count}</tspan> {shorten(name)}
  </text>
);

const BAND = 58;

/** A line along the ring, as wide as a machine and its name, in the colour of its edge and inside that. */
const SiteBand = ({ site: { points } }: { readonly site: PlacedSite }) => {
  const text = points.map(({ x, y }) => `${x},${y}`).join(" ");
  const line = { points: text, fill: "none", strokeLinecap: "round", strokeLinejoin: "round" } as const;
  return (
    <>
      <polyline {...line} strokeWidth={BAND + 2} className="stroke-line-strong" />
      <polyline {...line} strokeWidth={BAND} className="stroke-sunken" />
    </>
  );
};

const SiteName = ({ site: { name, label } }: { readonly site: PlacedSite }) => (
  <text
    x={label.x}
    y={label.y}
    textAnchor="middle"
    {...HALO}
    className="fill-muted stroke-surface font-semibold text-xs"
  >
    {shorten(name)}
  </text>
);

const LinkLine = ({ link: { state, points, isBundle, isLossy } }: { readonly link: PlacedLink }) => {
  const { stroke, dash } = LINK_STYLES[state];
  return (
    <polyline
      points={points.map(({ x, y }) => `${x},${y}`).join(" ")}
      fill="none"
      strokeLinejoin="round"
      strokeWidth={isBundle ? 4 : 1.75}
      strokeDasharray={dash}
      // Where packets get lost the line has the colour of trouble, and still the dashes of its path.
      className={classNames(isLossy && state !== "down" ? "stroke-bad" : stroke, isBundle && "opacity-60")}
    />
  );
};

interface MachineMarkProps {
  readonly placed: PlacedMachine;
  /** Among many there are too many stops for a keyboard: the list of machines above is for that. */
  readonly hasStop: boolean;
}

const MachineMark = ({ placed, hasStop }: MachineMarkProps) => {
  const { machine, x, y, radius, label } = placed;
  const { fill } = LINK_STYLES[machine.state];
  return (
    <Link
      from="/meshes/$meshId/map"
      to="."
      search={{ machine: machine.id } as MapSearch}
      replace
      resetScroll={false}
      preload={false}
      tabIndex={hasStop ? 0 : -1}
      aria-label={`${machine.name}: ${machine.words}`}
      className="group/mark"
    >
      <title>{toTitle(placed)}</title>
      {/* A finger is wider than a dot. */}
      <circle cx={x} cy={y} r={Math.max(radius, hasStop ? 14 : radius)} className="fill-transparent" />
      <Shape placed={placed} className={fill} />
      {label && <Label placed={placed} />}
    </Link>
  );
};

/** Gateways are square. */
const Shape = ({ placed, className }: { readonly placed: PlacedMachine; readonly className: string }) => {
  const { machine, x, y, radius } = placed;
  const look = classNames(className, "stroke-[1.5] group-hover/mark:stroke-ink");
  if (!machine.isGateway) return <circle cx={x} cy={y} r={radius} className={look} />;
  return <rect x={x - radius} y={y - radius} width={2 * radius} height={2 * radius} rx={radius / 4} className={look} />;
};

const LINE_HEIGHT = 13;
const MOST_LETTERS = 14;
const shorten = (name: string) => (name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name);

const Label = ({ placed }: { readonly placed: PlacedMachine }) => {
  const { first } = toLines(placed);
  return (
    <text
      x={first.x}
      y={first.y}
      textAnchor="middle"
      {...HALO}
      className="fill-ink stroke-surface text-xs group-hover/mark:fill-accent"
    >
      {shorten(placed.machine.name)}
    </text>
  );
};

/** Beside the link, whose name is what is seen of it. */
const Joins = ({ placed, below = 0 }: { readonly placed: PlacedMachine; readonly below?: number }) => {
  const { machine, label } = placed;
  if (label === null || machine.joins.length === 0) return null;
  const { second } = toLines(placed);
  return (
    <text x={second.x} y={second.y + below} textAnchor="middle" {...HALO} className="fill-muted stroke-surface text-xs">
      ↔ {shorten(machine.joins.join(", "))}
    </text>
  );
};

/** Above a machine the name goes up by the line that comes under it. */
function toLines({ machine, label, x, y }: PlacedMachine): { readonly first: Point; readonly second: Point } {
  const at = label ?? { x, y };
  const firstY = at.y < y && machine.joins.length > 0 ? at.y - LINE_HEIGHT : at.y;
  return { first: { x: at.x, y: firstY }, second: { x: at.x, y: firstY + LINE_HEIGHT } };
}

/** Its name is larger than others. */
const FOCUS_TEXT_DROP = 4;

const FocusMark = ({ placed }: { readonly placed: PlacedMachine }) => (
  <g>
    <circle cx={placed.x} cy={placed.y} r={placed.radius + 5} className="fill-surface stroke-accent" />
    <Shape placed={placed} className="fill-accent stroke-accent" />
    {placed.label && (
      <text
        x={placed.label.x}
        y={placed.label.y + FOCUS_TEXT_DROP}
        textAnchor="middle"
        {...HALO}
        className="fill-ink stroke-surface font-semibold text-sm"
      >
        {placed.machine.name}
        {placed.machine.site !== null && (
          <tspan className="fill-muted font-normal text-xs"> in {placed.machine.site}</tspan>
        )}
      </text>
    )}
  </g>
);

const toTitle = ({ machine: { name, words, isGateway, joins, site } }: PlacedMachine): string =>
  [
    `${name}: ${words}`,
    ...(site === null ? [] : [`in ${site}`]),
    ...(isGateway ? [joins.length === 0 ? "gateway" : `gateway, joins ${joins.join(", ")}`] : []),
  ].join("\n");
