// One test image: beside its reconstruction, with error map and scores.

const SCORES = {
  mse: ["MSE", "lower is better"], mae: ["MAE", "lower is better"],
  psnr: ["PSNR, dB", "higher is better"], ssim: ["SSIM", "higher is better"],
};

function imageName(images, number) {
  const label = images.labels ? `, class ${images.labels[number]}` : "";
  return `test image ${images.index[number]}${label}`;
}

function fillImages(select, images, numbers, value) {
  fill(select, numbers.map((number) => [number, imageName(images, number).replace("test image ", "")]), value);
}

function showImage(model, images, pictures, number) {
  const size = sizeOf(images.shape);
  const original = pictureAt(pictures.pixels, number, size);
  const restored = pictureAt(pictures.reconstructions, number, size);
  const { map, most } = errorMap(original, restored, images.shape);
  const name = imageName(images, number);
  draw(element("original"), [original], images.shape, name);
  draw(element("reconstruction"), [restored], images.shape,
    `Reconstruction of ${name}, mean squared error ${words(model.scores.mse[number])}`);
  draw(element("error"), [map], [images.shape[0], images.shape[1], 3],
    `Map of the absolute error of ${name}, at most ${words(most)} at a pixel`);
  const channels = images.shape[2] > 1 ? ", mean over channels" : "";
  element("error-text").textContent = `absolute error: black 0, white ${words(most)}${channels}`;
  element("scores").replaceChildren(...Object.keys(SCORES).map((score) => scoreRow(model.scores[score], score, number)));
  element("image").value = number;
}

function scoreRow(values, score, number) {
  const [name, direction] = SCORES[score];
  const sign = direction.startsWith("lower") ? 1 : -1;
  const worse = values.filter((value) => sign * value > sign * values[number]).length;
  const others = values.length - 1;
  const row = make("tr");
  row.append(make("th", { scope: "row" }, `${name} (${direction})`));
  for (const text of [words(values[number]), words(median(values)), `${worse} of the ${others} others`]) {
    row.append(make("td", {}, text));
  }
  return row;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
