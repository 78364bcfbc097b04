import { LINK_STYLES } from "./link-style.ts";
import type { LinkState, MapGroup } from "./map-model.ts";
import { STATE_WORDS } from "./map-model.ts";

interface MapLegendProps {
  readonly groups: readonly MapGroup[];
  readonly hasGateways: boolean;
  readonly hasLoss: boolean;
}

export const MapLegend = ({ groups, hasGateways, hasLoss }: MapLegendProps) => (
  <ul aria-label="Legend" className="flex flex-wrap gap-x-5 gap-y-1.5 text-muted text-xs">
    {groups.map(({ state, machines }) => (
      <li key={state} className="inline-flex items-center gap-1.5" title={STATE_WORDS[state].hint}>
        <Sample state={state} />
        <span>
          <span className="font-semibold text-ink">{machines.length}</span> {STATE_WORDS[state].label}
        </span>
      </li>
    ))}
    {hasLoss && (
      <li className="inline-flex items-center gap-1.5">
        <svg aria-hidden="true" viewBox="0 0 34 12" className="h-3 w-8.5">
          <line x1="1" x2="33" y1="6" y2="6" strokeWidth="2" className="stroke-bad" />
        </svg>
        loses packets
      </li>
    )}
    {hasGateways && (
      <li className="inline-flex items-center gap-1.5">
        <svg aria-hidden="true" viewBox="0 0 12 12" className="size-3">
          <rect x="1.5" y="1.5" width="9" height="9" rx="2" className="fill-surface stroke-ink stroke-[1.5]" />
        </svg>
        gateway
      </li>
    )}
  </ul>
);

const Sample = ({ state }: { readonly state: LinkState }) => {
  const { stroke, fill, dash } = LINK_STYLES[state];
  const hasLine = state !== "offline" && state !== "unknown";
  return (
    <svg aria-hidden="true" viewBox="0 0 34 12" className="h-3 w-8.5">
      {hasLine && <line x1="1" x2="25" y1="6" y2="6" strokeWidth="2" strokeDasharray={dash} className={stroke} />}
      <circle cx="28" cy="6" r="4.5" className={fill} strokeWidth="1.5" />
    </svg>
  );
};
