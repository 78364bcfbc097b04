// Text that one press copies.
import { Check, Copy } from "lucide-react";
import { useCopy } from "../browser/use-copy.ts";
import { classNames } from "../lib/class-names.ts";
import { IconButton } from "./button.tsx";

interface CopyTextProps {
  readonly text: string;
  /** What it is, for the button's name: `address`. */
  readonly what: string;
  readonly className?: string;
}

/** Short text in a line: an address, an id. */
export function CopyText({ text, what, className }: CopyTextProps) {
  const { isCopied, copy } = useCopy();
  const Icon = isCopied ? Check : Copy;
  return (
    <button
      type="button"
      onClick={() => copy(text)}
      title={`Copy ${what}`}
      aria-label={isCopied ? `Copied ${what} ${text}` : `Copy ${what} ${text}`}
      className={classNames(
        "group/copy relative z-10 inline-block max-w-full rounded text-left font-mono hover:text-accent",
        className,
      )}
    >
      <span className="break-all">{text}</span>
      <Icon
        aria-hidden
        className={classNames(
          // Takes no room while nobody points at it.
          "absolute top-1/2 left-full ml-1 size-3 -translate-y-1/2 rounded-sm bg-surface transition-opacity",
          isCopied ? "text-good" : "opacity-0 group-hover/copy:opacity-100 group-focus-visible/copy:opacity-100",
        )}
      />
    </button>
  );
}

/** A command or a secret, whole and in a box. */
export function CopyBlock({ text, what }: CopyTextProps) {
  const { isCopied, copy } = useCopy();
  return (
    <div className="flex items-start gap-1 rounded-lg border border-line bg-sunken p-1 pl-3">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0} className="min-w-0 flex-1 overflow-x-auto whitespace-pre-wrap break-all py-2 font-mono text-xs">
        {text}
      </pre>
      <IconButton label={isCopied ? "Copied" : `Copy ${what}`} onClick={() => copy(text)}>
        {isCopied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
      </IconButton>
      <span role="status" className="sr-only">
        {isCopied ? `${what} copied` : ""}
      </span>
    </div>
  );
}
