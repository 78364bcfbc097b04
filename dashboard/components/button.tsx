import type { ComponentProps } from "react";
import { classNames } from "../lib/class-names.ts";
import { Spinner } from "./spinner.tsx";

export type ButtonLook = "primary" | "secondary" | "quiet" | "danger";

const BASE =
  "inline-flex select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium transition-colors " +
  "disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0";
const LOOKS: Readonly<Record<ButtonLook, string>> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-line bg-surface text-ink shadow-xs hover:bg-sunken",
  quiet: "text-muted hover:bg-sunken hover:text-ink",
  danger: "bg-bad text-surface hover:opacity-90",
};
const SIZES = { normal: "h-9 px-3.5 text-sm", small: "h-7 px-2.5 text-xs", icon: "size-9" } as const;

interface ButtonStyle {
  readonly look?: ButtonLook;
  readonly size?: keyof typeof SIZES;
}

/** For links that look like buttons. */
export const buttonClass = ({ look = "secondary", size = "normal" }: ButtonStyle = {}): string =>
  classNames(BASE, LOOKS[look], SIZES[size]);

interface ButtonProps extends ComponentProps<"button">, ButtonStyle {
  /** Its work is under way: it can't be pressed again, and says so. */
  readonly isBusy?: boolean;
}

export function Button({ look, size, isBusy = false, className, children, disabled, ...rest }: ButtonProps) {
  const style: ButtonStyle = { ...(look ? { look } : {}), ...(size ? { size } : {}) };
  return (
    <button
      type="button"
      {...rest}
      className={classNames(buttonClass(style), className)}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
    >
      {isBusy && <Spinner />}
      {children}
    </button>
  );
}

/** A button that is only a picture; its name is for those who can't see it, and a tooltip for those who wonder. */
export function IconButton({ label, ...rest }: ButtonProps & { readonly label: string }) {
  return <Button look="quiet" size="icon" title={label} aria-label={label} {...rest} />;
}
