// The page: what is chosen is painted at once, and refined when it is asked for.

import { networks, paint, pause, useKey } from "./api.js";
import { onFile, prepared, show } from "./pictures.js";
import { isRefining, refine } from "./refine.js";
import * as stage from "./stage.js";
import { addLearned, addPainting, chosen, fieldOf, forgetAddresses } from "./styles.js";
import { offerSeconds, second, showThumbnails } from "./styles.js";

const WAIT = 0.15; // Seconds without a change after which a slider that moves is taken at its word.
const $ = (id) => document.getElementById(id);
let photograph = null;
let painting = null; // What ends the request that is under way.
let thumbnails = null;
let preparing = null;

async function load() {
  try {
    const found = await networks();
    stage.forget();
    for (const network of found) for (const name of network.styles) addLearned(network.name, name);
    const free = found.filter((network) => network.styles.length === 0);
    $("network").replaceChildren(...free.map((network) => new Option(network.name)));
    $("network-row").hidden = free.length < 2;
    $("tiles").hidden = document.querySelector(".tile") === null;
    $("key-form").hidden = true;
    $("main").hidden = false;
  } catch (error) {
    $("main").hidden = error.status === 401;
    tell(error);
  }
}

/** What is asked for, as fields of a form. */
async function fields(signal) {
  const style = chosen();
  const blended = second();
  const found = [
    ["content", photograph],
    ["style", await fieldOf(style, signal)],
  ];
  if (blended) {
    found.push(["style", await fieldOf(blended.style, signal)]);
    found.push(["weights", `${(1 - blended.share).toFixed(2)},${blended.share.toFixed(2)}`]);
  }
  return [...found, ["colors", $("colors").value], ["size", $("size").value]];
}

/** Paint with a network; what was asked for before is no longer waited for. */
async function paintNow() {
  painting?.abort();
  if (!photograph || !chosen() || isRefining()) return;
  if (chosen().kind === "painting" && !$("network").value) {
    stage.picture(photograph, $("photograph-name").textContent);
    stage.say("No network of this service paints in the style of a painting. Refine the photograph.");
    return offerRefinement();
  }
  const { signal } = (painting = new AbortController());
  try {
    await pause(WAIT, signal);
    stage.say("Painting …");
    const network = chosen().network ?? $("network").value;
    const more = [
      ["network", network],
      ["strength", $("strength").value / 100],
      ["quality", 95],
    ];
    const picture = await again(async () => paint([...(await fields(signal)), ...more], signal));
    stage.picture(picture, named("jpg"));
    stage.say("Painted by the network.");
  } catch (error) {
    tell(error);
  }
  offerRefinement();
}

/** A painting that the service has forgotten in between is sent again. */
async function again(ask) {
  try {
    return await ask();
  } catch (error) {
    if (error.status !== 404) throw error;
    forgetAddresses();
    return ask();
  }
}

/** The name under which a picture is saved. */
function named(suffix) {
  return `${$("photograph-name").textContent.replace(/\.\w+$/, "")}-${chosen().name}.${suffix}`;
}

function offerRefinement() {
  const hasPainting = chosen()?.kind === "painting";
  $("refine").disabled = !hasPainting || $("compare").hidden;
  $("refine-hint").hidden = hasPainting;
}

function tell(error) {
  if (error.status !== 401) return stage.tell(error);
  $("key-form").hidden = false;
  // At first nobody has sent a wrong one.
  $("key-problem").textContent = error.message;
  $("key-problem").hidden = $("key").value === "";
  $("key").focus();
}

async function usePhotograph(file) {
  painting?.abort();
  stage.clear();
  $("photograph-name").textContent = file.name;
  show($("photograph-picture"), file);
  stage.photograph(file);
  offerRefinement();
  photograph = null;
  const mine = (preparing = prepared(file));
  const found = await mine;
  if (mine !== preparing) return; // Another one was chosen meanwhile.
  photograph = found;
  paintNow();
  thumbnails?.abort();
  thumbnails = new AbortController();
  showThumbnails(photograph, thumbnails.signal).catch(() => {}); // Names are enough.
}

function isSlider({ target }) {
  return target.type === "range" && target.closest(".controls") !== null;
}

function isChoice({ target }) {
  return !["range", "file"].includes(target.type) && target.closest(".controls") !== null;
}

function changed(event) {
  for (const name of ["strength", "blend"]) $(`${name}-value`).textContent = `${$(name).value} %`;
  if (event.target.name === "style") offerSeconds();
  $("blend-row").hidden = $("second").value === "";
  offerRefinement();
  paintNow();
}

// Sliders while they move, and all else when it is chosen.
$("main").addEventListener("input", (event) => isSlider(event) && changed(event));
$("main").addEventListener("change", (event) => isChoice(event) && changed(event));
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey($("key").value);
  load();
});
$("refine").addEventListener("click", async () => {
  painting?.abort();
  stage.forget();
  try {
    await again(() => refine(fields, named("png")));
  } catch (error) {
    tell(error);
  }
  offerRefinement();
});
onFile($("photograph-drop"), usePhotograph);
onFile($("painting-drop"), async (file) => {
  stage.forget();
  stage.say("Sending the painting …");
  try {
    await addPainting(file);
    if (!photograph) stage.say("The painting is there."); // Otherwise it is painted in.
  } catch (error) {
    tell(error);
  }
});
load();
