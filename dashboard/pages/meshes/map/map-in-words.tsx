// The map for those who don't see it, or want names: machines by how they are reached.
import { Link } from "@tanstack/react-router";
import { Card } from "../../../components/layout.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { MachineLink } from "../../machines/machine-link.tsx";
import { LINK_STYLES } from "./link-style.ts";
import { type MapGroup, type MapMachine, STATE_WORDS } from "./map-model.ts";

/** The rest is a filter away, in the machine's list of peers. */
const MOST_NAMED = 24;

interface MapInWordsProps {
  readonly focus: MapMachine;
  readonly groups: readonly MapGroup[];
}

export const MapInWords = ({ focus, groups }: MapInWordsProps) => (
  <Card
    title={`How ${focus.name} reaches the others`}
    actions={
      <Link
        to="/machines/$machineId/peers"
        params={{ machineId: focus.id }}
        className="text-accent text-xs hover:underline"
      >
        All its peers
      </Link>
    }
    isFlush
  >
    <dl className="divide-y divide-line">
      {groups.map(({ state, machines }) => (
        <div key={state} className="grid gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[9rem_minmax(0,1fr)]">
          <dt className="flex items-center gap-2 self-start font-medium">
            <StatusDot tone={LINK_STYLES[state].tone} />
            {machines.length} {STATE_WORDS[state].label}
          </dt>
          <dd className="flex flex-wrap gap-x-4 gap-y-1">
            {machines.slice(0, MOST_NAMED).map((machine) => (
              <span key={machine.id}>
                <MachineLink id={machine.id} name={machine.name} className="hover:underline" />
                <Notes machine={machine} />
              </span>
            ))}
            {machines.length > MOST_NAMED && (
              <span className="text-muted">and {machines.length - MOST_NAMED} more</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  </Card>
);

const Notes = ({ machine: { state, words, isGateway, joins, site } }: { readonly machine: MapMachine }) => {
  const label = STATE_WORDS[state].label;
  const notes = [
    ...(words === label ? [] : [words.slice(label.length + 2)]),
    ...(site === null ? [] : [site]),
    ...(isGateway ? ["gateway"] : []),
    ...(joins.length === 0 ? [] : [`joins ${joins.join(", ")}`]),
  ];
  return notes.length === 0 ? null : <span className="text-muted text-xs"> {notes.join(", ")}</span>;
};
