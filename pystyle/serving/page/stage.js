// The picture, what is said of it, and the divider.

import { ServiceError } from "./api.js";
import { show } from "./pictures.js";

const $ = (id) => document.getElementById(id);
let address = ""; // Of the picture that is shown when no preview is.

/** Show a picture that can be downloaded under a name. */
export function picture(blob, name) {
  const old = address;
  address = URL.createObjectURL(blob);
  $("after").src = address;
  if (old) URL.revokeObjectURL(old);
  $("download").href = address;
  $("download").download = name;
  $("compare").hidden = $("download").hidden = false;
  $("problem").hidden = $("empty").hidden = true;
}

/** Show a picture that is not ready yet, by its address. */
export function preview(data) {
  $("after").src = data;
}

/** Show the last picture that was ready. */
export function restore() {
  if (address) $("after").src = address;
}

/** Take the picture away: it is of another photograph. */
export function clear() {
  $("compare").hidden = $("download").hidden = true;
  $("empty").hidden = false;
}

/** Keep a picture below the others, whatever is painted next. */
export function keep(blob, name) {
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(blob),
    download: name,
  });
  const image = Object.assign(document.createElement("img"), { src: link.href, alt: `Download ${name}` });
  link.append(image);
  const item = document.createElement("li");
  item.append(link);
  $("kept").prepend(item);
  $("kept-section").hidden = false;
}

/** Tell how things are; screen readers say it. */
export function say(sentence) {
  if ($("status").textContent !== sentence) $("status").textContent = sentence;
}

/** Tell what went wrong; what was aborted did not. */
export function tell(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ServiceError)) console.error(error);
  say("");
  $("problem").textContent =
    error instanceof ServiceError ? error.message : "The page failed. Load it again.";
  $("problem").hidden = false;
}

/** Forget what went wrong. */
export function forget() {
  $("problem").hidden = true;
}

/** Show the photograph beside the picture. */
export function photograph(file) {
  show($("before"), file);
}

function measure(event) {
  const { naturalWidth: width, naturalHeight: height } = event.target;
  $("compare").style.setProperty("--ratio", width / height);
}

$("before").addEventListener("load", measure);
// A photograph that the browser cannot show may be one that the service can read.
$("before").addEventListener("error", () => $("after").addEventListener("load", measure, { once: true }));
$("divider").addEventListener("input", () => {
  $("compare").style.setProperty("--split", `${$("divider").value}%`);
  $("divider").setAttribute("aria-valuetext", `${$("divider").value} % photograph`);
});
