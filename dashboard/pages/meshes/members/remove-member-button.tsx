import { Unlink } from "lucide-react";
import { useState } from "react";
import { removeMember } from "#schema/api/members";
import { useCan } from "../../../api/session.ts";
import { IconButton } from "../../../components/button.tsx";
import { ConfirmChange } from "../../form/form-dialog.tsx";
import { MEMBERSHIP_MAKES_OLD } from "./member-model.ts";

interface RemoveMemberButtonProps {
  readonly meshId: string;
  readonly machineId: string;
  readonly name: string;
  readonly meshName?: string;
}

export function RemoveMemberButton({ meshId, machineId, name, meshName = "this mesh" }: RemoveMemberButtonProps) {
  const [isOpen, setOpen] = useState(false);
  if (!useCan(removeMember)) return null;
  return (
    <>
      <IconButton label={`Take ${name} out of ${meshName}`} className="relative z-10" onClick={() => setOpen(true)}>
        <Unlink aria-hidden />
      </IconButton>
      {isOpen && (
        <ConfirmChange
          operation={removeMember}
          input={{ params: { meshId, machineId } }}
          makesOld={MEMBERSHIP_MAKES_OLD}
          words={`${name} left ${meshName}`}
          title={`Take ${name} out of ${meshName}?`}
          verb="Take it out"
          onClose={() => setOpen(false)}
        >
          <p>
            It stops reaching the other machines at once, and no longer announces its routes and VIPs. Its address stays
            unused for 24 hours; coming back, it may get another one.
          </p>
        </ConfirmChange>
      )}
    </>
  );
}
