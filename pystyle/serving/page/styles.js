// The styles that can be chosen: learned ones by name, and paintings that this tab has added.

import { paint, upload } from "./api.js";
import { prepared, show, small } from "./pictures.js";

const THUMBNAIL = 64;
const $ = (id) => document.getElementById(id);
const styles = new Map();

/** The style that is chosen, or undefined. */
export function chosen() {
  return styles.get(document.querySelector("input[name=style]:checked")?.value);
}

/** The second style and its share; null without one. */
export function second() {
  const style = styles.get($("second").value);
  return style ? { style, share: Number($("blend").value) / 100 } : null;
}

/** Add a style that a network has learned. */
export function addLearned(network, name) {
  const id = `${network}/${name}`;
  if (!styles.has(id)) add({ id, name, network, kind: network });
}

/** Add a painting that the service takes, and choose it. */
export async function addPainting(file) {
  const sent = await prepared(file);
  const address = await upload(sent);
  const style = {
    id: `painting/${styles.size}`,
    name: file.name.replace(/\.\w+$/, ""),
    kind: "painting",
    file: sent,
    address,
  };
  const tile = add(style, true);
  const picture = await small(style.file, 128);
  if (picture) show(tile.querySelector("img"), picture);
  tile.querySelector("input").checked = true;
  tile.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
}

/** What the field `style` has: a name, or the address of a painting, which is uploaded once. */
export async function fieldOf(style, signal) {
  if (style.kind !== "painting") return style.name;
  style.address ??= await upload(style.file, signal);
  return style.address;
}

/** Paintings that the service has forgotten are uploaded again when they are next used. */
export function forgetAddresses() {
  for (const style of styles.values()) delete style.address;
}

/** Show the photograph in each learned style, one after the other. */
export async function showThumbnails(photograph, signal) {
  const content = await small(photograph, 2 * THUMBNAIL);
  if (!content) return;
  for (const style of styles.values()) {
    if (style.kind === "painting") continue;
    const fields = [
      ["content", content],
      ["style", style.name],
      ["network", style.network],
      ["size", 2 * THUMBNAIL],
    ];
    show(style.tile.querySelector("img"), await paint(fields, signal));
  }
}

/** Offer what can be blended with the chosen style: only what the same network paints. */
export function offerSeconds() {
  const first = chosen();
  const old = $("second").value;
  const others = [...styles.values()].filter((style) => style !== first && style.kind === first?.kind);
  $("second").replaceChildren(
    new Option("nothing", ""),
    ...others.map((style) => new Option(style.name, style.id)),
  );
  $("second").value = others.some((style) => style.id === old) ? old : "";
  $("blend-row").hidden = $("second").value === "";
}

function add(style, isFirst = false) {
  const tile = document.createElement("label");
  tile.className = "tile";
  const input = Object.assign(document.createElement("input"), {
    type: "radio",
    name: "style",
    value: style.id,
  });
  const image = Object.assign(document.createElement("img"), { alt: "" });
  const blank = Object.assign(document.createElement("div"), { className: "blank" });
  image.hidden = true;
  image.addEventListener("load", () => blank.remove());
  const name = Object.assign(document.createElement("span"), { textContent: style.name, title: style.name });
  tile.append(input, image, blank, name);
  if (isFirst) $("tiles").prepend(tile);
  else $("tiles").append(tile);
  styles.set(style.id, { ...style, tile });
  return tile;
}
