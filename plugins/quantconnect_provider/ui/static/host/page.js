// The page in Airflow's navigation.

import { mount } from "../app.js";
import { component } from "./react.js";

globalThis["Quant"] = component((place, { navigate }) => mount(place, { navigate }));
