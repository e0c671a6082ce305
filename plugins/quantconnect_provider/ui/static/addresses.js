// Every address that the page links to or asks; built from parts that are encoded, never taken from data.

const PLUGIN = new URL("..", import.meta.url); // this file is in <plugin>/static/
const AIRFLOW = new URL("..", PLUGIN);
const QUANTCONNECT = "https://www.quantconnect.com";

export const staticFile = (name) => new URL(`static/${name}`, PLUGIN).href;
export const dagPage = (dagId) => new URL(`dags/${encodeURIComponent(dagId)}`, AIRFLOW).href;
export const runPage = (dagId, runId) =>
  new URL(`dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`, AIRFLOW).href;
export const hostedPage = (path) => new URL(`plugin/quantconnect#${path}`, AIRFLOW).href;
export const projectPage = (projectId) => `${QUANTCONNECT}/project/${Number(projectId)}`;
export const livePage = (projectId) => `${projectPage(projectId)}/live`;

/** The address of a view on this page. Airflow's page has a <base>, so "#..." alone would lead away. */
export const viewHref = (path) => `${location.pathname}${location.search}#${path}`;

/** Asks one of the plugin's routes; throws an Error with a text for the page. */
export async function ask(route, parameters = {}, signal = undefined) {
  const address = new URL(`api/${route}`, PLUGIN);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") address.searchParams.set(name, value);
  }
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "application/json" }, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("Airflow's API server does not answer.");
  }
  if (answer.ok) return answer.json();
  throw new Error(await reasonOf(answer));
}

async function reasonOf(answer) {
  if (answer.status === 401) return "You are not logged in any more: load the page again.";
  if (answer.status === 403) return "You may not see this: it needs the right to read the DAG that produced it.";
  try {
    const { detail } = await answer.json();
    if (typeof detail === "string") return detail;
  } catch {
    // Not JSON: the status has to do.
  }
  return `Airflow's API server answered ${answer.status}.`;
}

/** Takes the address's hash apart: "#/deployment/L-1?search=x". */
export function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, name = "", ...rest] = path.split("/");
  return { name, argument: decodeURIComponent(rest.join("/")), query: new URLSearchParams(query) };
}
