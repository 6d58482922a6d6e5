// Files of pictures, before they are sent.

const LARGEST_BYTES = 4e6;
const LARGEST_PIXELS = 6e6;
const EDGE = 1280;
const KNOWN = ["image/jpeg", "image/png", "image/webp"];

/**
 * What is sent of a file: the file, or if it is large, or in a format that the service does not read, a copy of
 * JPEG with a short edge of 1280 pixels, which is more than any picture of this page has. What the browser cannot
 * read is sent as it is: the service says what is wrong with it.
 */
export async function prepared(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (bitmap === null) return file;
  const { width, height } = bitmap;
  if (KNOWN.includes(file.type) && file.size <= LARGEST_BYTES && width * height <= LARGEST_PIXELS)
    return file;
  const copy = scaled(bitmap, EDGE);
  return (await blobOf(copy, 0.95)) ?? file;
}

/** A small copy, for thumbnails; null of what the browser cannot read. */
export async function small(file, edge) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  return bitmap && blobOf(scaled(bitmap, edge), 0.9);
}

function scaled(bitmap, edge) {
  const factor = Math.min(1, edge / Math.min(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(factor * bitmap.width);
  canvas.height = Math.round(factor * bitmap.height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // As the service has what is transparent.
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function blobOf(canvas, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

/** Call a function with each file that is chosen in, or dropped on, a label with an input. */
export function onFile(label, use) {
  const input = label.querySelector("input");
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // So that the same file can be chosen again.
    if (file) use(file);
  });
  for (const name of ["dragenter", "dragover"])
    label.addEventListener(name, () => label.classList.add("over"));
  for (const name of ["dragleave", "drop"])
    label.addEventListener(name, () => label.classList.remove("over"));
  label.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length && !input.matches(":disabled")) use(event.dataTransfer.files[0]);
  });
}

// A file that is dropped beside its place would replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());

/** Show a blob in an image, unless the browser cannot, and forget the one before. */
export function show(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  image.hidden = false;
  image.onerror = () => (image.hidden = true);
}
