// Photos that a shopper brings: picked, dropped or pasted. They stay in this browser, under a short
// name of their content, so that back, forward and reload find them again.

import { h } from "./dom.js";

const LONGEST_SIDE = 1600;
const KEPT = 20;
const photos = new Map(); // name -> { blob, address }

export class PhotoError extends Error {}

/** Take a file in; returns its name for the address. */
export async function takePhoto(file, limits) {
  const blob = await shrink(file, limits);
  const name = await nameOf(blob);
  remember(name, blob);
  await store(name, blob);
  return name;
}

/** A photo by its name: { blob, address }, or null where this browser does not have it. */
export async function findPhoto(name) {
  if (!photos.has(name)) {
    const blob = await load(name);
    if (!blob) return null;
    remember(name, blob);
  }
  return photos.get(name);
}

function remember(name, blob) {
  if (!photos.has(name)) photos.set(name, { blob, address: URL.createObjectURL(blob) });
}

async function nameOf(blob) {
  const content = await blob.arrayBuffer();
  if (globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    return [...digest.slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  let hash = 2166136261; // without HTTPS there is no crypto.subtle; this is only a name
  for (const byte of new Uint8Array(content)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return `${hash.toString(16).padStart(8, "0")}${(content.byteLength % 65536).toString(16)}`;
}

/** Large photos are made smaller before they travel; what cannot be read here is sent as it is. */
async function shrink(file, limits) {
  if (file.size === 0) throw new PhotoError("This file is empty.");
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    if (file.type && !file.type.startsWith("image/")) {
      throw new PhotoError("This is not a picture. Try a photo in JPEG, PNG, WebP or AVIF.");
    }
    if (file.size > limits.max_upload_bytes) throw new PhotoError("This file is too large.");
    return file; // such as TIFF, which the server may know
  }
  const longest = Math.max(bitmap.width, bitmap.height);
  if (Math.min(bitmap.width, bitmap.height) < limits.min_side) {
    throw new PhotoError("This picture is too small to see a garment on it.");
  }
  if (longest <= LONGEST_SIDE && file.size <= 1_500_000) return file;
  const scale = Math.min(1, LONGEST_SIDE / longest);
  const canvas = h("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  if (!blob) throw new PhotoError("This picture cannot be read.");
  return blob;
}

function openStore() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("amgan-photos", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("photos");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(name, blob) {
  try {
    const database = await openStore();
    const kept = database.transaction("photos", "readwrite").objectStore("photos");
    await settled(kept.put({ blob, at: Date.now() }, name));
    const names = await settled(kept.getAllKeys());
    const entries = await settled(kept.getAll());
    const oldest = names
      .map((key, place) => ({ key, at: entries[place].at }))
      .sort((a, b) => b.at - a.at)
      .slice(KEPT);
    await Promise.all(oldest.map(({ key }) => settled(kept.delete(key))));
    database.close();
  } catch {
    // A browser that keeps nothing still searches; only a reload will not find the photo.
  }
}

async function load(name) {
  try {
    const database = await openStore();
    const found = await settled(database.transaction("photos").objectStore("photos").get(name));
    database.close();
    return found?.blob ?? null;
  } catch {
    return null;
  }
}

/** Call `take` with a picture file that is dropped or pasted anywhere on the page. */
export function watchPhotos(take) {
  let depth = 0;
  const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragenter", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    depth += 1;
    mark(true);
  });
  addEventListener("dragover", (event) => {
    if (carriesFile(event)) event.preventDefault();
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) mark(false);
  });
  addEventListener("drop", (event) => {
    depth = 0;
    mark(false);
    const file = event.dataTransfer?.files?.[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const file = files.find((candidate) => candidate.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}
