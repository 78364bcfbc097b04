// Imported before every schema. zod compiles object schemas with `new Function` where it may; the content security policy forbids that, and
// each try would be a violation in the browser's console.
import { z } from "zod";

z.config({ jitless: true });
