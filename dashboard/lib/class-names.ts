/** Classes that apply, in one string. */
export const classNames = (...classes: readonly (string | false | null | undefined)[]): string =>
  classes.filter(Boolean).join(" ");
