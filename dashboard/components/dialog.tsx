// A modal dialog, open for as long as it is rendered: what a form in it holds begins anew each time. Radix gives the focus trap and the
// names; the shade is our own, for Radix's locks the page's scrolling with an inline <style>, which the content security policy forbids
// (styles.css does it with :has()).
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { findOpener } from "../browser/find-opener.ts";
import { IconButton } from "./button.tsx";

export interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Where the keyboard begins: in what is asked for, not at the way out. */
const FIELD = "form :is(input, select, textarea):enabled";

export function Dialog({ title, description, onClose, children }: DialogProps) {
  const [opener] = useState(findOpener);
  const begin = (event: Event) => {
    const field = (event.currentTarget as HTMLElement).querySelector<HTMLElement>(FIELD);
    if (field === null) return;
    event.preventDefault();
    field.focus();
  };
  const goBack = (event: Event) => {
    event.preventDefault();
    opener?.focus();
  };
  return (
    <Radix.Root open onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div data-dialog-shade="" className="fixed inset-0 z-40 animate-appear bg-shade" />
        <div className="fixed inset-0 z-50 flex items-end justify-center sm:items-center sm:p-4">
          <Radix.Content
            {...(description === undefined ? { "aria-describedby": undefined } : {})}
            onOpenAutoFocus={begin}
            onCloseAutoFocus={goBack}
            className="flex max-h-[92dvh] w-full animate-appear flex-col rounded-t-xl border border-line bg-raised shadow-raised outline-none sm:max-w-lg sm:rounded-xl"
          >
            <header className="flex items-start gap-3 px-5 pt-4 pb-3">
              <div className="min-w-0 flex-1">
                <Radix.Title className="text-balance font-semibold text-base">{title}</Radix.Title>
                {description !== undefined && (
                  <Radix.Description className="mt-1 text-muted">{description}</Radix.Description>
                )}
              </div>
              <Radix.Close asChild>
                <IconButton label="Close" className="-mt-1 -mr-2">
                  <X aria-hidden />
                </IconButton>
              </Radix.Close>
            </header>
            {children}
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}

export const DialogBody = ({ children }: { readonly children: ReactNode }) => (
  <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 py-1">{children}</div>
);

export const DialogFooter = ({ children }: { readonly children: ReactNode }) => (
  <footer className="mt-4 flex flex-col-reverse gap-2 border-line border-t px-5 py-4 sm:flex-row sm:justify-end">
    {children}
  </footer>
);
