// The page by itself, below <airflow>/quantconnect/, in the theme that was chosen in Airflow.

import { mount } from "../app.js";

const system = matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme"); // where Airflow's interface keeps it
  } catch {
    // Storage is off: the system's theme has to do.
  }
  const dark = chosen === "dark" || (chosen !== "light" && system.matches);
  document.documentElement.classList.toggle("dark", dark);
}

followTheme();
system.addEventListener("change", followTheme);
addEventListener("storage", followTheme);
document.body.classList.add("qc-standalone");
mount(document.getElementById("page"));
