// The deployments that a task instance is about.

import { actionLink, actionsFor } from "../actions.js";
import { ask, hostedPage, livePage, projectPage } from "../addresses.js";
import { h, time } from "../dom.js";
import { formatAge, formatBrokerage, formatMoney } from "../format.js";
import { emptyState, external, fill, projectName, statusPill } from "../parts.js";

/** Shows the tab. */
export function showTask(root, instance, host, signal) {
  const place = h("div", { class: "task" });
  root.append(place);
  fill(
    place,
    "the deployment",
    () => ask("task", instance, signal),
    (rows) =>
      rows.length
        ? rows.map((row) => card(row, host))
        : emptyState(
            "No deployment known",
            h("p", null, "This task names no deployment that the store knows. It may not have made one yet."),
          ),
    signal,
  );
}

function card(row, host) {
  return h(
    "article",
    { class: "card" },
    h(
      "h2",
      null,
      h("a", { href: hostedPage(`/deployment/${encodeURIComponent(row.deploy_id)}`) }, projectName(row)),
    ),
    statusPill(row),
    facts([
      ["Deployment", row.deploy_id],
      ["Brokerage", formatBrokerage(row.brokerage)],
      ["Equity", formatMoney(row.equity)],
      ["Last harvest", time(row.harvested_at, formatAge(row.harvested_at))],
      ["Seen", time(row.seen_at, formatAge(row.seen_at))],
    ]),
    h(
      "p",
      { class: "links" },
      external(projectPage(row.project_id), "Project"),
      external(livePage(row.project_id), "Live results"),
    ),
    h("p", { class: "actions" }, actionsFor(row).map((name) => actionLink(name, row.project_id, host, projectName(row)))),
  );
}

/** Returns a list of names and values. */
export const facts = (pairs) =>
  h("dl", { class: "facts" }, pairs.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
