import { Link } from "@tanstack/react-router";

/** A becket bend: the knot that nets are made of. */
export const Mark = ({ className }: { readonly className?: string }) => (
  <svg viewBox="0 0 32 32" fill="none" aria-hidden="true" className={className}>
    <rect width="32" height="32" rx="8" className="fill-accent" />
    <g className="stroke-on-accent" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
      <path d="M7 12.5h10.5a3.5 3.5 0 0 1 0 7H14a3.5 3.5 0 0 1 0-7" />
      <path d="M25 19.5h-6.5" />
      <path d="M22 12.5h3" />
      <path d="M7 19.5h2.5" />
    </g>
  </svg>
);

export const Brand = () => (
  <Link to="/machines" className="inline-flex items-center gap-2.5 font-semibold text-base tracking-tight">
    <Mark className="size-7" />
    Becket
  </Link>
);
