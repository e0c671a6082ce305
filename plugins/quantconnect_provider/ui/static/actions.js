// Links to what can be done. The page itself changes nothing: Airflow's own form asks, checks and starts.

import { dagPage } from "./addresses.js";
import { h } from "./dom.js";
import { openTriggerForm } from "./trigger_form.js";

const WIND_DOWN = "quantconnect_wind_down";

export const deployAction = (projectId) => ({
  label: projectId ? "Deploy" : "Deploy a project",
  dagId: "quantconnect_deploy",
  conf: projectId ? { project_id: projectId } : {},
});

/** Returns what can be done about a deployment. */
export function actionsFor(row) {
  const ids = { project_ids: [row.project_id] };
  const over = row.phase.startsWith("over");
  return [
    { label: "Harvest now", dagId: "quantconnect_harvest_insights", conf: ids },
    over ? null : { label: "Stop", dagId: WIND_DOWN, conf: { ...ids, action: "stop" } },
    over ? null : { label: "Liquidate", dagId: WIND_DOWN, conf: { ...ids, action: "liquidate" }, danger: true },
    over ? deployAction(row.project_id) : null,
  ].filter(Boolean);
}

/** Returns the link of an action; "about" names what it acts on for who does not see the row. */
export function actionLink(action, host, about = "") {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !host.navigate) return;
    event.preventDefault();
    openTriggerForm(host.navigate, action.dagId, action.conf, action.label);
  };
  return h(
    "a",
    {
      class: action.danger ? "button danger" : "button",
      href: dagPage(action.dagId),
      title: `Opens the form of ${action.dagId}`,
      target: host.navigate ? null : "_blank",
      click: follow,
    },
    action.label,
    about ? h("span", { class: "unseen" }, ` ${about}`) : null,
  );
}
