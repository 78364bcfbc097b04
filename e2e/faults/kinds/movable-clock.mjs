// Preloaded into an agent (`node --import`): its wall clock is off by what the file BECKET_LAB_CLOCK says, in ms. Debian's faketime would do as well,
// and would be one more package. Plain JavaScript, so that any Node takes it.
import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 200;
const RealDate = Date;
let offsetMs = 0;

setInterval(() => {
  try {
    offsetMs = Number(readFileSync(process.env.BECKET_LAB_CLOCK, "utf8"));
  } catch {
    offsetMs = 0;
  }
}, LOOK_EVERY_MS).unref();

globalThis.Date = class MovableDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
};
