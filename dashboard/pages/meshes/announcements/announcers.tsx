// The machines of a route or a VIP: how each is, and which one traffic goes to.
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { MachineLink } from "../../machines/machine-link.tsx";
import { type Announced, type Announcer, isUnheld, listAnnouncers } from "./announcers-model.ts";

interface AnnouncersProps {
  /** `database`. */
  readonly name: string;
  readonly announced: Announced;
  readonly names: ReadonlyMap<string, string>;
}

/** The others open below them. */
const SHOWN = 4;

export function Announcers({ name, announced, names }: AnnouncersProps) {
  const announcers = listAnnouncers(announced, names);
  if (announcers.length === 0) return <span className="text-warn">nobody yet</span>;
  const [shown, others] = [announcers.slice(0, SHOWN), announcers.slice(SHOWN)];
  return (
    <div className="flex flex-col gap-1">
      {isUnheld(announced) && <span className="text-bad">no machine holds it</span>}
      <List label={`Machines of ${name}`} announcers={shown} />
      {others.length > 0 && (
        <details>
          <summary className="cursor-pointer text-muted">and {others.length} more</summary>
          <List label={`More machines of ${name}`} announcers={others} />
        </details>
      )}
    </div>
  );
}

const List = ({ label, announcers }: { readonly label: string; readonly announcers: readonly Announcer[] }) => (
  <ul aria-label={label} className="flex flex-col gap-1">
    {announcers.map((announcer) => (
      <Item key={announcer.id} announcer={announcer} />
    ))}
  </ul>
);

const Item = ({ announcer: { id, name, state, since, text, isHolder } }: { readonly announcer: Announcer }) => (
  <li className="min-w-0">
    <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
      {state && <StatusDot tone={state.tone} />}
      <MachineLink id={id} name={name} className="min-w-0 truncate font-medium" />
      {state && (
        <span className="whitespace-nowrap text-muted text-xs">
          {state.label}
          {since && (
            <>
              , <Age at={since} suffix="" />
            </>
          )}
        </span>
      )}
      {isHolder && (
        <Badge tone="accent" title="BGP prefers this one of those that announce it">
          traffic goes here
        </Badge>
      )}
    </span>
    {text && (
      <span className="line-clamp-2 break-words pl-4 text-bad text-xs" title={text}>
        {text}
      </span>
    )}
  </li>
);
