// One deployment: how it goes, what it predicted, what happened.

import { actionLink, actionsFor } from "../actions.js";
import { ask, dagPage, livePage, projectPage, runPage, viewHref } from "../addresses.js";
import { directionChart, equityCharts } from "../charts.js";
import { h, time } from "../dom.js";
import { formatAge, formatBrokerage, formatDuration, formatMoment, formatMoney, formatOpen, formatPercent } from "../format.js";
import { external, failure, fill, projectName, statusPill } from "../parts.js";
import { table } from "../table.js";
import { showInsights } from "./insights.js";
import { facts } from "./task.js";

const HARVEST_DAG = "quantconnect_harvest_insights";
const WATCH_DAG = "quantconnect_watch";
const DAG_OF_ACTION = {
  redeploy: "quantconnect_deploy",
  stop: "quantconnect_wind_down",
  liquidate: "quantconnect_wind_down",
};

/** Shows the view; returns a function that follows a changed address. */
export function showDeployment(root, { host, signal, argument: deployId }) {
  const top = h("div");
  const body = h("div", { class: "sections" });
  let followAddress = null;
  root.append(h("p", null, h("a", { href: viewHref("/") }, "← All deployments")), top, body);
  fill(
    top,
    "the deployment",
    () => ask("deployment", { deploy_id: deployId }, signal),
    (row) => {
      followAddress = sections(body, row, signal);
      return heading(row, host);
    },
    signal,
  );
  return () => followAddress?.();
}

function heading(row, host) {
  return [
    h(
      "header",
      { class: "top" },
      h("div", null, h("h1", null, projectName(row)), statusPill(row)),
      h("span", { class: "actions" }, actionsFor(row).map((name) => actionLink(name, row.project_id, host))),
    ),
    facts([
      ["Project", String(row.project_id)],
      ["Deployment", row.deploy_id],
      ["Brokerage", formatBrokerage(row.brokerage)],
      ["Launched (UTC)", formatMoment(row.launched_at)],
      row.stopped_at ? ["Stopped (UTC)", formatMoment(row.stopped_at)] : null,
      ["Equity", formatMoney(row.equity)],
      ["Open insights", formatOpen(row.open_insights)],
      ["Hit rate of the project", formatPercent(row.hit_rate)],
      ["Last harvest", time(row.harvested_at, formatAge(row.harvested_at))],
      ["Seen", time(row.seen_at, formatAge(row.seen_at))],
    ].filter(Boolean)),
    h(
      "p",
      { class: "links" },
      external(projectPage(row.project_id), "Project at QuantConnect"),
      external(livePage(row.project_id), "Live results at QuantConnect"),
      h("a", { href: dagPage(HARVEST_DAG) }, "Harvest runs"),
      h("a", { href: dagPage("quantconnect_deploy") }, "Deploy runs"),
      h("a", { href: dagPage("quantconnect_wind_down") }, "Wind-down runs"),
    ),
  ];
}

function sections(body, row, signal) {
  const asked = { deploy_id: row.deploy_id };
  const watched = row.open_events !== null;
  const part = (title, what, read, show, ...more) => {
    const place = h("div");
    body.append(h("section", { "aria-label": title }, h("h2", null, title), more, place));
    fill(place, what, read, show, signal);
  };
  const insights = () => {
    const place = h("section", { "aria-label": "Insights" }, h("h2", null, "Insights"));
    body.append(place);
    return showInsights(place, row.deploy_id, signal);
  };

  body.replaceChildren();
  if (watched) {
    part("Events", "the events", () => ask("events", asked, signal), eventsTable);
    part("Equity and drawdown", "the equity", () => ask("equity", asked, signal), (curve) => equity(curve, signal));
  } else {
    body.append(
      failure(new Error(`Equity and events need the right to read the DAG ${WATCH_DAG}.`)),
    );
  }
  part("Insights over time", "the insights", () => ask("timeline", asked, signal), (rows) => timeline(rows, signal));
  part("Scores", "the scores", () => ask("scores", { project_id: row.project_id }, signal), scores);
  const follow = insights();
  part(
    "Harvests",
    "the harvests",
    () => ask("harvests", { ...asked, project_id: row.project_id }, signal),
    harvestsTable,
  );
  return follow;
}

const note = (text) => h("p", { class: "muted" }, text);

function equity(curve, signal) {
  if (curve.times.length < 2) return note(`Nothing observed yet: the DAG ${WATCH_DAG} does that while it runs.`);
  const cut = curve.complete ? null : note("The newest 5,000 observations; the drawdown is from their highest.");
  return [...equityCharts(curve, signal), cut].filter(Boolean);
}

function timeline(rows, signal) {
  if (!rows.length) return note("No insights harvested yet.");
  const count = rows.reduce((sum, [, , each]) => sum + each, 0);
  return [directionChart(rows, signal), note(`The newest ${count.toLocaleString("en-US")} insights, by when they were made.`)];
}

function scores(found) {
  if (!found.computed_at) return note("No scorecard of this project yet: it is computed after a harvest.");
  const columns = (title) => [
    { title, cell: (score) => score.name || "–" },
    { title: "Insights", numeric: true, cell: (score) => score.insights.toLocaleString("en-US") },
    { title: "Open", numeric: true, cell: (score) => score.open.toLocaleString("en-US") },
    { title: "Scored", numeric: true, cell: (score) => score.scored.toLocaleString("en-US") },
    { title: "Hit rate", numeric: true, cell: (score) => formatPercent(score.hit_rate, 1) },
    {
      title: "Mean return",
      numeric: true,
      hint: "From reference to final value, signed by the predicted direction",
      cell: (score) => formatPercent(score.mean_signed_return, 2),
    },
  ];
  return [
    h(
      "div",
      { class: "columns" },
      table({ caption: "Scores by model", columns: columns("Model"), rows: found.by_model }),
      table({ caption: "Scores by ticker", columns: columns("Ticker"), rows: found.by_ticker }),
    ),
    note(`Of the whole project, computed ${formatAge(found.computed_at)}.`),
  ];
}

function harvestsTable(rows) {
  const seconds = (row) => (Date.parse(row.finished_at) - Date.parse(row.started_at)) / 1000;
  return table({
    caption: "Harvests of this deployment, the newest 100",
    rows,
    empty: "Not harvested yet.",
    columns: [
      { title: "Started (UTC)", cell: (row) => formatMoment(row.started_at) },
      {
        title: "Status",
        cell: (row) => [
          h("span", { class: `pill ${row.status === "complete" ? "running" : "failed"}` }, row.status),
          row.error ? h("span", { class: "detail" }, row.error) : null,
        ],
      },
      { title: "Read", numeric: true, cell: (row) => row.read.toLocaleString("en-US") },
      { title: "Inserted", numeric: true, cell: (row) => row.inserted.toLocaleString("en-US") },
      { title: "Updated", numeric: true, cell: (row) => row.updated.toLocaleString("en-US") },
      { title: "Requests", numeric: true, cell: (row) => String(row.requests) },
      { title: "Took", numeric: true, cell: (row) => formatDuration(row.finished_at ? seconds(row) : null) },
      {
        title: "DAG run",
        cell: (row) => (row.run_id ? h("a", { href: runPage(HARVEST_DAG, row.run_id) }, row.run_id) : "–"),
      },
    ],
  });
}

function eventsTable(rows) {
  const severities = { critical: "failed", error: "failed", warning: "starting" };
  return table({
    caption: "Events of this deployment, open ones first",
    rows,
    empty: "Nothing happened.",
    columns: [
      { title: "Event", cell: (row) => h("span", { class: `pill ${severities[row.severity] ?? "unknown"}` }, row.kind) },
      { title: "Severity", cell: (row) => row.severity },
      { title: "Message", cell: (row) => h("span", { class: "detail" }, row.message) },
      { title: "Opened", cell: (row) => time(row.opened_at, formatAge(row.opened_at)) },
      {
        title: "Resolved",
        cell: (row) => (row.resolved_at ? time(row.resolved_at, formatAge(row.resolved_at)) : h("strong", null, "open")),
      },
      { title: "Action", cell: policyAction },
    ],
  });
}

// What a policy did about an event, with a link to the run that it triggered.
function policyAction(row) {
  const dagId = DAG_OF_ACTION[row.action];
  if (!dagId || !row.action_run_id) return row.action ?? "–";
  return h("a", { href: runPage(dagId, row.action_run_id) }, row.action);
}
