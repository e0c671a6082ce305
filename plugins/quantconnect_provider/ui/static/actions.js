// Links to what can be done. The page itself changes nothing: Airflow's own form asks, checks and starts.

import { hostedPage } from "./addresses.js";
import { h } from "./dom.js";
import { openTriggerForm } from "./trigger_form.js";

const ACTIONS = {
  harvest: {
    label: "Harvest now",
    dagId: "quantconnect_harvest_insights",
    conf: (projectId) => ({ project_ids: [projectId] }),
  },
  stop: {
    label: "Stop",
    dagId: "quantconnect_wind_down",
    conf: (projectId) => ({ project_ids: [projectId], action: "stop" }),
  },
  liquidate: {
    label: "Liquidate",
    dagId: "quantconnect_wind_down",
    conf: (projectId) => ({ project_ids: [projectId], action: "liquidate" }),
  },
  deploy: {
    label: "Deploy",
    dagId: "quantconnect_deploy",
    conf: (projectId) => ({ project_id: projectId }),
  },
};

/** Returns the names of what can be done about a deployment. */
export const actionsFor = (row) => (row.phase.startsWith("over") ? ["harvest", "deploy"] : ["harvest", "stop", "liquidate"]);

/** Opens the form of an action; a project id that is none leaves the form as the DAG has it. */
export function openAction(name, projectId, navigate, options = {}) {
  const action = ACTIONS[name];
  if (!action) return;
  const conf = Number.isSafeInteger(projectId) && projectId > 0 ? action.conf(projectId) : {};
  openTriggerForm({ ...action, conf }, navigate, options);
}

/** Returns the link of an action on a project, or on one to be chosen; "about" names it for screen readers. */
export function actionLink(name, projectId, host, about = "") {
  const { label, dagId } = ACTIONS[name];
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !host.navigate) return;
    event.preventDefault();
    openAction(name, projectId, host.navigate);
  };
  return h(
    "a",
    {
      class: name === "liquidate" ? "button danger" : "button",
      href: hostedPage(`/form/${name}${projectId ? `/${projectId}` : ""}`),
      title: `Opens the form of ${dagId}`,
      target: host.navigate ? null : "_blank",
      click: follow,
    },
    projectId ? label : `${label} a project`,
    about ? h("span", { class: "unseen" }, ` ${about}`) : null,
  );
}
