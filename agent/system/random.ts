import { randomBytes as createRandomBytes } from "node:crypto";

/** A number in [0, 1), for jitter; not for secrets. */
export type Random = () => number;

export const random: Random = () => Math.random();

/** For what nobody may guess. */
export type RandomBytes = (count: number) => Buffer;

export const randomBytes: RandomBytes = (count) => createRandomBytes(count);
