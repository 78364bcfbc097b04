import { CircleCheck } from "lucide-react";
import { useMemo, useState } from "react";
import { listAuditEvents } from "#schema/api/audit-events";
import type { CreatedJoinToken } from "#schema/api/join-tokens";
import { listMachines } from "#schema/api/machines";
import { LIVE_EVERY_MS } from "../../../api/pace.ts";
import { useList, usePages } from "../../../api/use-api.ts";
import { Until } from "../../../components/age.tsx";
import { Button } from "../../../components/button.tsx";
import { CopyBlock } from "../../../components/copy-text.tsx";
import { DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { SwitchField } from "../../../components/field.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { MachineLink } from "../machine-link.tsx";
import { OnlineState } from "../online-state.tsx";
import { findArrivals } from "./find-arrivals.ts";
import { renderJoinCommand } from "./join-command.ts";

const ENROLLED = { query: { action: "machine.enrolled" } } as const;

/** The command, and who came with its token. */
export function Arrivals({ token, onDone }: { readonly token: CreatedJoinToken; readonly onDone: () => void }) {
  const [allowsUpgrades, setAllowsUpgrades] = useState(false);
  const events = usePages(listAuditEvents, ENROLLED, { everyMs: LIVE_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIVE_EVERY_MS, isExact: true });
  const arrived = useMemo(
    () => findArrivals(token.id, events.query.data ?? [], machines.data ?? []),
    [token.id, events.query.data, machines.data],
  );
  return (
    <>
      <DialogBody>
        <CopyBlock text={renderJoinCommand(window.location.origin, token.token, { allowsUpgrades })} what="command" />
        <SwitchField
          label="May be upgraded from here"
          hint="The line then lets the control plane replace the agent, and so be root on the machine."
          isOn={allowsUpgrades}
          onChange={setAllowsUpgrades}
        />
        <p className="text-muted text-xs">
          It installs the agent as a service on Debian, Ubuntu, Fedora or Alpine, and says what it does. The token ends{" "}
          <Until at={token.expiresAt} /> and is not shown again.
        </p>
        <div role="status" className="flex flex-col gap-2">
          {arrived.length === 0 ? (
            <p className="flex items-center gap-3 rounded-lg border border-line px-4 py-3 text-muted">
              <StatusDot tone="info" isPulsing /> Waiting for the machine…
            </p>
          ) : (
            arrived.map(({ id, name, online, lastSeenAt, meshes }) => (
              <div key={id} className="flex items-center gap-3 rounded-lg bg-good-soft px-4 py-3">
                <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
                <div className="min-w-0 flex-1">
                  <MachineLink id={id} name={name} className="font-medium hover:underline" />
                  <p className="truncate font-mono text-muted text-xs">
                    {meshes.map(({ meshName, address }) => `${address} in ${meshName}`).join(", ") || "in no mesh"}
                  </p>
                </div>
                <OnlineState online={online} lastSeenAt={lastSeenAt} />
              </div>
            ))
          )}
        </div>
      </DialogBody>
      <DialogFooter>
        <Button look={arrived.length > 0 ? "primary" : "secondary"} onClick={onDone}>
          Done
        </Button>
      </DialogFooter>
    </>
  );
}
