// What is shown, and what changes it. One function draws each part; the address after # names the model.

const state = { model: null, images: null, pictures: null, place: [], nearest: 0, image: 0, from: 0, to: 1, step: 4 };
let wanted = null;
let speaking = 0;
let announced = {};

// Says something to who cannot see the pictures: once the moving has stopped.
function speak(text, wait = 500) {
  clearTimeout(speaking);
  speaking = setTimeout(() => { element("spoken-place").textContent = text; }, wait);
}

async function show(model) {
  wanted = model;
  const images = content.images[model.images];
  const parts = { pixels: images.pixels, nodes: model.nodes, reconstructions: model.reconstructions, ends: model.ends, walks: model.walks };
  const arrays = await Promise.all(Object.values(parts).map(unpacked));
  if (wanted !== model) return; // another was chosen meanwhile
  const pictures = Object.fromEntries(Object.keys(parts).map((name, number) => [name, arrays[number]]));
  const sameImages = state.images === images;
  const samePlane = state.model?.plane.counts.join() === model.plane.counts.join();
  Object.assign(state, { model, images, pictures });
  if (!sameImages) Object.assign(state, { image: 0, from: 0, to: 1 });
  if (!samePlane) state.place = model.plane.counts.map((count) => (count - 1) / 2);
  element("spoken").textContent = announced.model === model ? announced.text : "";
  showChoice(model, (chosen, others) => {
    announced = { model: chosen, text: changesInWords(chosen, others) };
    location.hash = addressOf(chosen.trial);
  });
  describe(model);
  setUpSliders(model);
  fillImages(element("image"), images, images.index.map((_, number) => number), state.image);
  for (const id of ["from", "to"]) fillImages(element(id), images, images.ends, images.ends[state[id]]);
  const curve = curveOf(model);
  if (curve >= 0) element("curve").value = curve;
  drawAll();
}

function drawAll() {
  const { model, images } = state;
  drawPlane(model, images);
  showPlace(state.place);
  chooseImage(state.image);
  showWalk(images, state.pictures, state);
  showElbow(model);
}

function describe(model) {
  const { value, low, high, n, method } = model.over_seeds;
  element("facts").textContent = `Trial ${model.trial}: ${model.parameters.toLocaleString("en")} parameters, best epoch ${model.best_epoch} of ${model.epochs}. `
    + `Test MSE ${words(model.test_mse)} (lower is better); over the seeds of its cell ${words(value)} [${words(low)}, ${words(high)}], n = ${n}, ${method}.`;
  const { dimensions, counts } = model.plane;
  const count = state.images.index.length;
  const what = [
    "",
    `The latent space has one dimension: the line is all of it, over the range of the codes of ${count} test images. Up and down only tell the classes apart.`,
    `The latent space has two dimensions: the plane is all of it, over the range of the codes of ${count} test images.`,
  ][dimensions] ?? `The latent space has ${dimensions} dimensions. The plane is that of the two principal directions of the codes of ${count} test images; `
    + `the other ${dimensions - 2} stay at the mean of the codes.`;
  const skips = model.skips ? " This decoder also takes feature maps of the encoder. Here and in the walks below they are at their means over training images, so that what is decoded is what the code holds; the reconstruction of a test image has its own." : "";
  const [mean, largest] = model.off_grid;
  element("plane-text").textContent = `${what}${skips} Decoded by the model at ${counts.join(" × ")} nodes, and interpolated between them: `
    + `in the middle between nodes a pixel is off by ${words(mean)} on average and ${words(largest)} at most (black 0, white 1).`;
}

function setUpSliders(model) {
  const { plane: of } = model;
  element("sliders").replaceChildren(...of.counts.flatMap((count, axis) => {
    const slider = make("input", { type: "range", id: `slider-${axis}`, min: 0, max: count - 1, step: "any" });
    slider.oninput = () => showPlace(state.place.map((position, other) => (other === axis ? Number(slider.value) : position)));
    slider.onkeydown = (event) => slideByKey(event, axis);
    return [make("label", { for: slider.id }, axisName(of, axis)), slider];
  }));
  element("plane").setAttribute("aria-label", `Codes of ${state.images.index.length} test images of ${model.trial}, and the place that is decoded`);
}

// With step "any" browsers disagree on what an arrow key does to a slider: here it goes from node to node.
function slideByKey(event, axis) {
  const arrows = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
  if (!(event.key in arrows)) return;
  event.preventDefault();
  const next = [...state.place];
  const moved = event.shiftKey ? next[axis] + 0.1 * arrows[event.key] : nodeBeyond(next[axis], arrows[event.key]);
  next[axis] = Math.min(Math.max(moved, 0), state.model.plane.counts[axis] - 1);
  showPlace(next);
}

function showPlace(place) {
  const { model, images, pictures } = state;
  state.place = place;
  state.nearest = nearestImage(model, place);
  const { counts } = model.plane;
  const where = toValue(model.plane, place).map(words);
  const text = `Decoded at ${where.length > 1 ? `(${where.join(", ")})` : where[0]}. The nearest test image is ${imageName(images, state.nearest).replace("test image ", "number ")}.`;
  draw(element("decoded"), [interpolated(pictures.nodes, counts, sizeOf(images.shape), place)], images.shape, text);
  element("decoded-text").textContent = text;
  place.forEach((position, axis) => {
    const slider = element(`slider-${axis}`);
    slider.value = position;
    slider.setAttribute("aria-valuetext", `${where[axis]}, nearest is ${imageName(images, state.nearest)}`);
  });
  markPlace(model, images, place, state.nearest);
}

function chooseImage(number) {
  state.image = number;
  showImage(state.model, state.images, state.pictures, number);
  markImage(state.model, state.images, number);
}

function setUpPlane() {
  const svg = element("plane");
  const follow = (event) => { if (state.model) showPlace(placeAt(event, state.model)); };
  svg.onpointermove = follow;
  svg.onpointerdown = (event) => {
    if (event.isPrimary) svg.setPointerCapture(event.pointerId);
    follow(event);
  };
  svg.onclick = (event) => { follow(event); chooseImage(state.nearest); };
  svg.onkeydown = (event) => {
    const place = placeByKey(event, state.model, state.place);
    if (event.key === "Enter") chooseImage(state.nearest);
    if (place) showPlace(place);
    if (!place && event.key !== "Enter") return;
    event.preventDefault();
    speak(element("decoded-text").textContent);
  };
}

function setUpImages() {
  const move = (by) => chooseImage((state.image + by + state.images.index.length) % state.images.index.length);
  element("pick").onclick = () => { chooseImage(state.nearest); speak(`Shown below: ${imageName(state.images, state.image)}.`, 0); };
  element("image").onchange = (event) => chooseImage(Number(event.target.value));
  element("previous").onclick = () => move(-1);
  element("next").onclick = () => move(1);
}

function setUpWalk() {
  const draws = () => showWalk(state.images, state.pictures, state);
  for (const [id, other] of [["from", "to"], ["to", "from"]]) {
    element(id).onchange = (event) => {
      const before = state[id];
      state[id] = state.images.ends.indexOf(Number(event.target.value));
      if (state[id] === state[other]) state[other] = before; // a walk from an image to itself is none: they change places
      element(other).value = state.images.ends[state[other]];
      draws();
    };
  }
  element("step").oninput = (event) => { state.step = Number(event.target.value); draws(); };
  element("play").onclick = play(draws);
}

// Walks from one end to the other in three seconds; a second press stops.
function play(draws) {
  let running = 0;
  const stop = () => { cancelAnimationFrame(running); running = 0; element("play").textContent = "Play"; };
  return () => {
    if (running) return void stop();
    const began = performance.now();
    element("play").textContent = "Stop";
    const frame = (now) => {
      state.step = Math.min(Math.max((now - began) / 3000, 0), 1) * (STEPS - 1);
      draws();
      if (state.step < STEPS - 1) running = requestAnimationFrame(frame);
      else stop();
    };
    running = requestAnimationFrame(frame);
  };
}

function modelOfAddress() {
  return content.models.find((model) => addressOf(model.trial) === location.hash) ?? state.model ?? content.models[0];
}

function setUp() {
  element("notices").hidden = !content.notices.length;
  element("notices").replaceChildren(...content.notices.map((notice) => make("li", {}, notice)));
  setUpPlane();
  setUpImages();
  setUpWalk();
  setUpElbow(() => showElbow(state.model));
  addEventListener("hashchange", () => show(modelOfAddress()));
  let width = innerWidth;
  addEventListener("resize", () => { if (state.model && innerWidth !== width) { width = innerWidth; drawAll(); } });
  return show(modelOfAddress());
}

if (typeof DecompressionStream === "undefined") {
  element("spoken").textContent = "This page needs a browser from 2023 or later.";
} else {
  setUp().then(() => document.body.setAttribute("data-ready", ""));
}
