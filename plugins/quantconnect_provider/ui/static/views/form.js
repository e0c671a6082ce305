// The address of an action, "#/form/stop/12345": leads on to the DAG's form with the project filled in.

import { openAction } from "../actions.js";
import { hostedPage } from "../addresses.js";
import { loading } from "../parts.js";

/** Leads on. Where the page stands by itself, Airflow's own interface has the form. */
export function showForm(root, { host, argument }) {
  const [name, projectId] = argument.split("/");
  root.append(loading("the form"));
  if (host.navigate) openAction(name, Number(projectId), host.navigate, { replace: true });
  else location.replace(hostedPage(`/form/${argument}`));
}
