"use strict";
// Pictures: unpacked, interpolated, drawn. Values are bytes, 0 black and 255 white, channels last.

const content = JSON.parse(document.getElementById("content").textContent);
const element = (id) => document.getElementById(id);
const unpackings = new Map();

// Each packed array is unpacked once, when it is first looked at.
function unpacked(packed) {
  if (!unpackings.has(packed)) unpackings.set(packed, unpack(packed));
  return unpackings.get(packed);
}

// base64, zlib, and each byte as the difference to the one `lag` places before it, modulo 256.
async function unpack({ lag, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new Uint8Array(await new Response(stream).arrayBuffer());
  if (lag) for (let i = lag; i < values.length; i += 1) values[i] += values[i - lag];
  return values;
}

function sizeOf(shape) {
  return shape[0] * shape[1] * shape[2];
}

// Picture `number` of an array of pictures of `size` bytes.
function pictureAt(values, number, size) {
  return values.subarray(number * size, (number + 1) * size);
}

// The weighted sum of pictures: [[picture, weight], ...].
function weighted(parts) {
  const sum = new Float64Array(parts[0][0].length);
  for (const [picture, weight] of parts) for (let i = 0; i < sum.length; i += 1) sum[i] += weight * picture[i];
  return sum;
}

// The picture at a place in units of nodes, linear between nodes along each axis; the first axis runs fastest.
function interpolated(nodes, counts, size, place) {
  let corners = [[0, 1]];
  let stride = 1;
  place.forEach((position, axis) => {
    const low = Math.min(Math.floor(position), counts[axis] - 2);
    const share = position - low;
    const step = stride;
    corners = corners.flatMap(([at, weight]) => [
      [at + low * step, weight * (1 - share)],
      [at + (low + 1) * step, weight * share],
    ]);
    stride *= counts[axis];
  });
  return weighted(corners.map(([at, weight]) => [pictureAt(nodes, at, size), weight]));
}

// Draws pictures side by side, a pixel apart, at their own resolution; the style sheet enlarges them.
function draw(canvas, pictures, shape, text) {
  const [height, width] = shape;
  canvas.width = pictures.length * (width + 1) - 1;
  canvas.height = height;
  canvas.setAttribute("aria-label", text);
  const context = canvas.getContext("2d");
  pictures.forEach((picture, number) => {
    context.putImageData(new ImageData(colours(picture, shape), width, height), number * (width + 1), 0);
  });
}

// Three channels are red, green and blue; of any other number the mean is shown in grey.
function colours(picture, [height, width, channels]) {
  const colour = new Uint8ClampedArray(4 * height * width);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    const values = picture.subarray(pixel * channels, (pixel + 1) * channels);
    const grey = values.reduce((sum, value) => sum + value, 0) / channels;
    for (let c = 0; c < 3; c += 1) colour[4 * pixel + c] = channels === 3 ? values[c] : grey;
    colour[4 * pixel + 3] = 255;
  }
  return colour;
}

const HEAT = [[0, 0, 0], [120, 10, 40], [230, 90, 20], [255, 200, 80], [255, 255, 225]];

// The absolute error of each pixel, mean over channels, as a picture of three channels: black 0, nearly white `most`.
function errorMap(original, restored, [height, width, channels]) {
  const error = new Float64Array(height * width);
  for (let i = 0; i < original.length; i += 1) {
    error[Math.floor(i / channels)] += Math.abs(original[i] - restored[i]) / channels;
  }
  const most = error.reduce((a, b) => Math.max(a, b), 0);
  const map = new Float64Array(3 * error.length);
  error.forEach((value, pixel) => {
    const at = most ? (value / most) * (HEAT.length - 1) : 0;
    const low = Math.min(Math.floor(at), HEAT.length - 2);
    for (let c = 0; c < 3; c += 1) {
      map[3 * pixel + c] = HEAT[low][c] + (at - low) * (HEAT[low + 1][c] - HEAT[low][c]);
    }
  });
  return { map, most: most / 255 };
}

// A number for people: three digits, a true minus, a dash where there is none.
function words(number) {
  return number === null ? "–" : String(Number(number.toPrecision(3))).replace("-", "−");
}

function percent(share) {
  return share === null ? "–" : `${words(100 * share)} %`;
}

// An element of the page, or with an SVG name of a drawing, with attributes and text. Names in data stay text.
const SVG = ["svg", "g", "text", "line", "rect", "circle", "path", "a", "title"];

function make(name, attributes = {}, text = "", drawing = false) {
  const made = drawing && SVG.includes(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== "") made.textContent = text;
  return made;
}

function shape(name, attributes, text) {
  return make(name, attributes, text, true);
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([key, text]) => {
    const option = make("option", {}, text);
    option.value = key;
    return option;
  }));
  select.value = value;
}
