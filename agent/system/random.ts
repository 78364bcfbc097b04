/** A number in [0, 1), for jitter; not for secrets. */
export type Random = () => number;

export const random: Random = () => Math.random();
