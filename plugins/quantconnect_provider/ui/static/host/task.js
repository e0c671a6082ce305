// The tab on a task instance.

import { addStyles } from "../styles.js";
import { showTask } from "../views/task.js";
import { component } from "./react.js";

globalThis["QuantConnect"] = component((place, { dagId, runId, taskId, mapIndex, navigate }) => {
  addStyles();
  place.classList.add("qc");
  const ending = new AbortController();
  const instance = { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex ?? "-1" };
  showTask(place, instance, { navigate }, ending.signal);
  return () => ending.abort();
});
