// The panel on Airflow's home page.

import { addStyles } from "../styles.js";
import { showPanel } from "../views/panel.js";
import { component } from "./react.js";

globalThis["QuantConnect live"] = component((place) => {
  addStyles();
  place.classList.add("qc", "flush");
  const ending = new AbortController();
  showPanel(place, ending.signal);
  return () => ending.abort();
});
