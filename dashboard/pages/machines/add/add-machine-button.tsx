import { Plus } from "lucide-react";
import { createJoinToken } from "#schema/api/join-tokens";
import { useCan } from "../../../api/session.ts";
import { Button } from "../../../components/button.tsx";

/** The page shows the dialog: where the button stands there is something else as soon as a machine is there. */
export const AddMachineButton = ({ onPress }: { readonly onPress: () => void }) =>
  useCan(createJoinToken) && (
    <Button look="primary" onClick={onPress}>
      <Plus aria-hidden /> Add machine
    </Button>
  );
