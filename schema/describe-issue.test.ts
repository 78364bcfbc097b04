import { expect, it } from "vitest";
import { z } from "zod";
import { describeIssue } from "./describe-issue.ts";

const Body = z.object({
  name: z.string().refine((text) => text !== "x", { message: "must not be x" }),
  ids: z.array(z.string()),
});

const describeAll = (body: unknown) =>
  Body.safeParse(body).error?.issues.map((issue) => `${issue.path.join(".")} ${describeIssue(issue)}`);

it("says what is missing and what is of another type, and else what the schema says", () => {
  expect(describeAll({ name: 7 })).toEqual(["name is of the type number, and not string", "ids is missing"]);
  expect(describeAll({ name: "x", ids: [] })).toEqual(["name must not be x"]);
});
