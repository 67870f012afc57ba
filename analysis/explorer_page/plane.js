// The plane of codes: test images where their codes lie, and the place that is decoded. Places are in units of nodes.

const ROOM = { left: 62, right: 14, top: 8, bottom: 40, inner: 12 };
const plane = { x: null, y: null };

function toValue({ low, high, counts }, place) {
  return place.map((position, axis) => low[axis] + (position / (counts[axis] - 1)) * (high[axis] - low[axis]));
}

function toPlace({ low, high, counts }, values) {
  return values.map((value, axis) => ((value - low[axis]) / (high[axis] - low[axis])) * (counts[axis] - 1));
}

function axisName({ dimensions, share }, axis) {
  if (dimensions <= 2) return dimensions === 1 ? "the code" : `code ${axis + 1}`;
  return `direction ${axis + 1} (${percent(share[axis])} of variance)`;
}

// A scale from [0, most] to pixels, and back.
function scale(from, to, most) {
  const map = (position) => from + (position / most) * (to - from);
  map.back = (pixel) => Math.min(Math.max(((pixel - from) / (to - from)) * most, 0), most);
  return map;
}

function classesOf(images) {
  if (!images.labels) return [];
  const names = [...new Set(images.labels)];
  return names.every((name) => !Number.isNaN(Number(name))) ? names.sort((a, b) => a - b) : names.sort();
}

// A class is drawn as its own name where that is short, else as a letter.
function glyphOf(classes, label) {
  const number = classes.indexOf(label);
  return classes.every((name) => name.length <= 2) ? label : String.fromCodePoint(65 + number);
}

function drawPlane(model, images) {
  const svg = element("plane");
  const { counts } = model.plane;
  const width = Math.min(Math.max(svg.parentElement.clientWidth, 260), 576);
  const height = counts.length === 1 ? Math.max(Math.round(width * 0.6), 280) : width - 20;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [left, right] = [ROOM.left, width - ROOM.right];
  const [top, bottom] = [ROOM.top, height - ROOM.bottom];
  plane.x = scale(left + ROOM.inner, right - ROOM.inner, counts[0] - 1);
  plane.y = scale(bottom - ROOM.inner, top + ROOM.inner, counts.length === 1 ? 1 : counts[1] - 1);
  svg.replaceChildren(
    shape("rect", { class: "frame", x: left, y: top, width: right - left, height: bottom - top }),
    ...ticks(model.plane, left, bottom, width),
    ...glyphs(model, images),
    shape("g", { id: "chosen-image" }), shape("g", { id: "cross" }),
  );
  showLegend(images);
}

function ticks(of, left, bottom, width) {
  const made = of.counts.flatMap((count, axis) => [0, 0.5, 1].map((share) => {
    const span = of.high[axis] - of.low[axis];
    const value = tickWords(of.low[axis] + share * span, span);
    const [px, py] = axis === 0 ? [plane.x(share * (count - 1)), bottom + 14] : [left - 5, plane.y(share * (count - 1)) + 4];
    return shape("text", { x: px, y: py, "text-anchor": axis === 0 ? "middle" : "end" }, value);
  }));
  const middle = (left + width) / 2;
  made.push(shape("text", { x: middle, y: bottom + 32, "text-anchor": "middle" }, axisName(of, 0)));
  if (of.counts.length > 1) {
    const centre = bottom / 2 + 4;
    made.push(shape("text", { x: 11, y: centre, "text-anchor": "middle", transform: `rotate(-90 11 ${centre})` }, axisName(of, 1)));
  }
  return made;
}

// A number as fine as an axis of this span needs it.
function tickWords(value, span) {
  return words(Number(value.toFixed(Math.min(Math.max(2 - Math.floor(Math.log10(span)), 0), 20))));
}

// Where test image `number` is drawn. On a line the height says nothing but the class, or spreads the points.
function pixelOf(model, images, number) {
  const place = toPlace(model.plane, model.places[number]);
  if (place.length > 1) return [plane.x(place[0]), plane.y(place[1])];
  const classes = classesOf(images);
  const spread = (number * 0.618034) % 1;
  const row = classes.length > 1 ? (classes.indexOf(images.labels[number]) + 0.2 + 0.6 * spread) / classes.length : spread;
  return [plane.x(place[0]), plane.y(row)];
}

function glyphs(model, images) {
  const classes = classesOf(images);
  return images.index.map((_, number) => {
    const [x, y] = pixelOf(model, images, number);
    if (!classes.length) return shape("circle", { class: "dot", cx: x, cy: y, r: 3 });
    const label = images.labels[number];
    return shape("text", { class: `glyph c${classes.indexOf(label) % 10}`, x, y }, glyphOf(classes, label));
  });
}

function showLegend(images) {
  const classes = classesOf(images);
  element("legend").hidden = !classes.length;
  element("legend").replaceChildren(...classes.map((label) => {
    const item = make("li");
    const count = images.labels.filter((other) => other === label).length;
    item.append(make("b", { class: `c${classes.indexOf(label) % 10}` }, glyphOf(classes, label)));
    item.append(` class ${label}, ${count} image${count === 1 ? "" : "s"}`);
    return item;
  }));
}

// The cross at the place decoded, and a ring around the test image nearest to it.
function markPlace(model, images, place, nearest) {
  const px = plane.x(place[0]);
  const py = place.length > 1 ? plane.y(place[1]) : null;
  const [nx, ny] = pixelOf(model, images, nearest);
  const [low, high] = [plane.y(0) + ROOM.inner, ROOM.top];
  const marks = [shape("line", { class: "cross", x1: px, x2: px, y1: low, y2: high })];
  if (py !== null) {
    const ends = [plane.x(0) - ROOM.inner, plane.x(model.plane.counts[0] - 1) + ROOM.inner];
    marks.push(shape("line", { class: "cross", x1: ends[0], x2: ends[1], y1: py, y2: py }));
  }
  element("cross").replaceChildren(...marks, shape("circle", { class: "ring", cx: nx, cy: ny, r: 9 }));
}

function markImage(model, images, number) {
  const [x, y] = pixelOf(model, images, number);
  element("chosen-image").replaceChildren(shape("circle", { class: "chosen", cx: x, cy: y, r: 12 }));
}

// The test image whose code, seen in the plane, lies nearest to a place.
function nearestImage(model, place) {
  const distance = (values) => toPlace(model.plane, values).reduce((sum, p, axis) => sum + (p - place[axis]) ** 2, 0);
  const distances = model.places.map(distance);
  return distances.indexOf(Math.min(...distances));
}

// The place under a pointer.
function placeAt(event, model) {
  const svg = element("plane");
  const box = svg.getBoundingClientRect();
  const unit = svg.viewBox.baseVal.width / box.width;
  const place = [plane.x.back((event.clientX - box.left) * unit)];
  if (model.plane.counts.length > 1) place.push(plane.y.back((event.clientY - box.top) * unit));
  return place;
}

// The place that a key leads to, or null: arrows from node to node, with Shift a tenth, Home the middle.
function placeByKey(event, model, place) {
  const { counts } = model.plane;
  if (event.key === "Home") return counts.map((count) => (count - 1) / 2);
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1], ArrowUp: [1, 1] };
  if (!(event.key in moves)) return null;
  let [axis, direction] = moves[event.key];
  if (counts.length === 1) axis = 0;
  const next = [...place];
  const moved = event.shiftKey ? place[axis] + 0.1 * direction : nodeBeyond(place[axis], direction);
  next[axis] = Math.min(Math.max(moved, 0), counts[axis] - 1);
  return next;
}

function nodeBeyond(position, direction) {
  return direction > 0 ? Math.floor(position + 1 + 1e-9) : Math.ceil(position - 1 - 1e-9);
}
