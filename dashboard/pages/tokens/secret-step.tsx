import type { ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { CopyBlock } from "../../components/copy-text.tsx";
import { DialogBody, DialogFooter } from "../../components/dialog.tsx";

interface SecretStepProps {
  readonly secret: string;
  /** For the button's name: `token`. */
  readonly what: string;
  readonly onDone: () => void;
  /** What it is good for, and how long. */
  readonly children: ReactNode;
}

/** The last step of a dialog that makes a secret: it is shown this once. */
export const SecretStep = ({ secret, what, onDone, children }: SecretStepProps) => (
  <>
    <DialogBody>
      <CopyBlock text={secret} what={what} />
      <p className="text-muted">{children}</p>
    </DialogBody>
    <DialogFooter>
      <Button look="primary" onClick={onDone}>
        Done
      </Button>
    </DialogFooter>
  </>
);
