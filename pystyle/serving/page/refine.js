// A refinement: a job of the service that is followed step by step.

import { ServiceError, cancel, follow, result, start } from "./api.js";
import * as stage from "./stage.js";

const LEAST_STRENGTH = 0.01;
const $ = (id) => document.getElementById(id);
let running = null;

/** Whether a refinement runs. */
export function isRefining() {
  return running !== null;
}

/** Run a job, and show its pictures; `fields` gives what is asked for, and `name` is that of the file. */
export async function refine(fields, name) {
  const run = (running = { control: new AbortController(), id: null });
  busy(true);
  try {
    stage.say("Sending the pictures …");
    const strength = Math.max(LEAST_STRENGTH, $("strength").value / 100);
    const asked = [
      ...(await fields(run.control.signal)),
      ["strength", strength],
      ["steps", $("refine-steps").value],
    ];
    // This is not aborted: a job whose id is not known could not be ended.
    run.id = (await start(asked)).id;
    run.control.signal.throwIfAborted();
    await watch(run, name);
  } catch (error) {
    stage.restore();
    if (error.name !== "AbortError") throw error;
    if (run.id) await cancel(run.id).catch(() => {}); // It may be over.
    stage.say("The refinement was cancelled.");
  } finally {
    running = null;
    busy(false);
  }
}

async function watch(run, name) {
  const { signal } = run.control;
  const lost = () => stage.say("The service does not answer. The refinement goes on when it is back.");
  let last = null;
  for await (const state of follow(run.id, signal, lost)) {
    shown((last = state));
  }
  if (last.state !== "finished") {
    const { status, detail } = last.problem ?? { status: 500, detail: "The refinement has no picture." };
    throw new ServiceError(status, detail);
  }
  const picture = await result(run.id, signal);
  stage.picture(picture, name);
  stage.keep(picture, name);
  // A job that reaches the limit of the service has the picture so far.
  const reason = last.step < last.num_steps ? ` ${last.stop_reason}` : "";
  stage.say(`Refined in ${last.step} ${last.step === 1 ? "step" : "steps"}.${reason}`);
}

function shown(state) {
  const { step, num_steps: count } = state;
  $("progress").max = count;
  $("progress").value = step;
  $("steps").textContent = `Step ${step} of ${count}, ${state.seconds.toFixed(0)} s`;
  if (state.preview) stage.preview(state.preview);
  if (state.state === "waiting") stage.say("Waiting until the service has time …");
  // A screen reader hears of each quarter, and not of each step.
  else stage.say(step ? `Refining: ${25 * Math.floor((4 * step) / count)} % done.` : "Preparing …");
}

function busy(is) {
  $("choices").disabled = $("settings").disabled = $("actions").hidden = is;
  $("cancel").hidden = $("progress-row").hidden = !is;
  $("progress").value = 0;
  $("steps").textContent = "";
  // What had the focus is gone.
  (is ? $("cancel") : $("refine")).focus();
}

function end() {
  running?.control.abort();
}

$("cancel").addEventListener("click", end);
// Nobody would see the rest.
addEventListener("pagehide", () => {
  if (running?.id) cancel(running.id).catch(() => {});
  end();
});
