import { useState } from "react";
import { createRoute, listRoutes, updateRoute } from "#schema/api/routes";
import type { Member } from "#schema/machine";
import { Prefixes, type Route } from "#schema/route";
import { SwitchField, TextAreaField } from "../../../components/field.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { MachineFields, NameField, useAnnouncementDraft } from "./announcement-fields.tsx";
import { splitPrefixes } from "./announcement-model.ts";

interface RouteDialogProps {
  readonly meshId: string;
  /** The route to change; undefined: a new one. */
  readonly route: Route | undefined;
  readonly routes: readonly Route[];
  readonly members: readonly Member[];
  readonly onClose: () => void;
}

export function RouteDialog({ meshId, route, routes, members, onClose }: RouteDialogProps) {
  const done = { onClose, toWords: (saved: Route) => `${saved.name} is saved` };
  const create = useForm(createRoute, [listRoutes.id], done);
  const update = useForm(updateRoute, [listRoutes.id], done);
  const announcement = useAnnouncementDraft(route, routes);
  const [prefixText, setPrefixText] = useState(route?.prefixes.join("\n") ?? "");
  const [flags, setFlags] = useState({
    isMasquerading: route?.isMasquerading ?? false,
    allowsDefaultRoute: route?.allowsDefaultRoute ?? false,
  });
  const prefixes = Prefixes.safeParse(splitPrefixes(prefixText));
  const prefixError =
    prefixText.trim() === "" || prefixes.success ? null : toPrefixError(prefixes.error.issues, prefixText);
  const form = route ? update : create;
  const body =
    announcement.body && prefixes.success ? { ...announcement.body, ...flags, prefixes: [...prefixes.data] } : null;

  const submit = () => {
    if (body === null) return;
    if (route) update.send({ params: { meshId, routeId: route.id }, body });
    else create.send({ params: { meshId }, body });
  };
  return (
    <FormDialog
      title={route ? `Change ${route.name}` : "Create a route"}
      description="A network behind machines, which they announce to the mesh."
      form={form}
      fields={["name", "prefixes"]}
      verb={route ? "Save route" : "Create route"}
      isReady={body !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField announcement={announcement} refused={form.refused.name} placeholder="warehouse-lan" />
      <TextAreaField
        label="Prefixes"
        error={prefixError ?? form.refused.prefixes}
        hint="One a line: IPv4 or IPv6 networks."
        value={prefixText}
        onChange={setPrefixText}
        placeholder="192.168.7.0/24"
      />
      <MachineFields
        announcement={announcement}
        members={members}
        legend="Announced by"
        hint="Several for availability: when one is gone, another carries on."
        offHint="Off: nobody announces it."
      />
      <SwitchField
        label="Masquerade"
        hint="Its machines forward from their own address, for networks that have no way back to the mesh."
        isOn={flags.isMasquerading}
        onChange={(isMasquerading) => setFlags({ ...flags, isMasquerading })}
      />
      <SwitchField
        label="Allow a default route"
        hint="Prefixes shorter than /8 draw away the traffic of every machine; refused without this."
        isOn={flags.allowsDefaultRoute}
        onChange={(allowsDefaultRoute) => setFlags({ ...flags, allowsDefaultRoute })}
      />
    </FormDialog>
  );
}

/** Names the prefix: "192.168.7.1/24 must be a network without host bits, …". */
function toPrefixError(
  issues: readonly { readonly path: PropertyKey[]; readonly message: string }[],
  text: string,
): string {
  const [issue] = issues;
  const prefix = typeof issue?.path[0] === "number" ? splitPrefixes(text)[issue.path[0]] : undefined;
  return [prefix, issue?.message ?? "is not valid"].filter(Boolean).join(" ");
}
