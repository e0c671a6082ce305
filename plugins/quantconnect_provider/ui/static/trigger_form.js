// Opens a DAG's own trigger form with values in it.
//
// Airflow 3.3 has no address for that. So this does what a person does: opens the form, and pastes the values
// into its configuration under "Advanced options", from where the form takes them over. Nothing is triggered.
// Should the form look otherwise in a later Airflow, the values are shown to be copied instead.

import { h } from "./dom.js";
import { addStyles } from "./styles.js";

const WAIT_MILLISECONDS = 15_000;
const LOOK_MILLISECONDS = 50;
const SETTLE_MILLISECONDS = 400;

/** Opens the form of {dagId, label} with the values of {conf}. */
export async function openTriggerForm({ dagId, label, conf }, navigate, options = {}) {
  navigate(`/dags/${encodeURIComponent(dagId)}`, options);
  try {
    const dialog = await openDialog(dagId);
    if (Object.keys(conf).length) {
      await enter(dialog, { ...(await defaults(dagId)), ...conf }, conf);
      await confirm(dialog, conf);
      toggle(dialog.querySelector('button[id*=":trigger"]')); // the first section, with what was filled in
    }
  } catch (error) {
    console.warn("The form was not filled in:", error);
    offer(label, dagId, conf);
  }
}

async function openDialog(dagId) {
  await until(() => location.pathname.endsWith(`/dags/${encodeURIComponent(dagId)}`));
  const open = await until(() => document.querySelector('[data-testid="trigger-dag-button"]:not(:disabled)'));
  open.click();
  return until(() => document.querySelector('[data-testid="trigger-dag-submit"]')?.closest('[role="dialog"]'));
}

/** The values that the form begins with: its configuration has to name every one of them. */
async function defaults(dagId) {
  const answer = await fetch(new URL(`api/v2/dags/${encodeURIComponent(dagId)}/details`, document.baseURI));
  if (!answer.ok) throw new Error(`The DAG's parameters cannot be read (${answer.status}).`);
  const { params } = await answer.json();
  return Object.fromEntries(Object.entries(params ?? {}).map(([name, param]) => [name, param.value]));
}

async function enter(dialog, values, conf) {
  const section = await until(() => dialog.querySelector('button[id$=":advancedOptions"]'));
  toggle(section);
  const editor = await until(() =>
    [...dialog.querySelectorAll(".monaco-editor")].find(
      (each) => !each.closest('[id^="element_"]') && each.getBoundingClientRect().height > 20,
    ),
  );
  const field = await until(() => editor.querySelector(".native-edit-context, textarea.inputarea"));
  // Before the form has read its parameters it would overwrite what is entered.
  await until(() => Object.keys(conf).every((name) => textOf(editor).includes(`"${name}":`)));
  field.focus();
  await pause(SETTLE_MILLISECONDS);
  press(field, "a", 65);
  paste(field, JSON.stringify(values, null, 2));
  await pause(SETTLE_MILLISECONDS);
  press(field, "Home", 36); // an editor holds only the lines that are in sight
  await until(() => shows(editor, conf));
  field.blur(); // the form takes the values over
  await pause(SETTLE_MILLISECONDS);
  if (!shows(editor, conf)) throw new Error("The form did not keep the values.");
  toggle(section);
}

/** Enters plain values once more where they are shown: a field that was empty keeps its error until then. */
async function confirm(dialog, conf) {
  for (const [name, value] of Object.entries(conf)) {
    const field = dialog.querySelector(`input[type="text"][name="element_${name}"]`);
    if (!field || typeof value === "object") continue;
    await until(() => field.value === String(value));
    for (const text of ["", String(value)]) {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await pause(LOOK_MILLISECONDS);
    }
  }
}

// The form's sections open for who has them in focus.
function toggle(button) {
  button?.focus();
  button?.click();
}

function press(field, key, keyCode) {
  const mac = navigator.platform.startsWith("Mac");
  const init = { key, keyCode, ctrlKey: !mac, metaKey: mac, bubbles: true, cancelable: true };
  field.dispatchEvent(new KeyboardEvent("keydown", init));
}

function paste(field, text) {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}

const textOf = (editor) => (editor.querySelector(".view-lines")?.textContent ?? "").replace(/\s/g, "");

function shows(editor, conf) {
  const text = textOf(editor);
  return Object.entries(conf).every(([name, value]) => text.includes(`"${name}":${JSON.stringify(value)}`));
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(look) {
  const end = Date.now() + WAIT_MILLISECONDS;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`Not there after ${WAIT_MILLISECONDS / 1000} s: ${look}`);
    await pause(LOOK_MILLISECONDS);
  }
}

function offer(label, dagId, conf) {
  addStyles();
  const text = JSON.stringify(conf, null, 2);
  const copy = (event) => {
    navigator.clipboard?.writeText(text).then(() => (event.target.textContent = "Copied"));
  };
  const notice = h(
    "div",
    { class: "qc notice", role: "alert" },
    h("p", null, h("strong", null, `${label}: `), `trigger ${dagId} with this under Advanced Options:`),
    h("pre", { tabindex: 0 }, text),
    h("button", { type: "button", click: copy }, "Copy"),
    " ",
    h("button", { type: "button", click: () => notice.remove() }, "Close"),
  );
  document.body.append(notice);
}
