// From one image to another: decoded on the straight line between their codes, and their pixels mixed.

const STEPS = 9;

// Position of the pair (a, b), a < b, among the pairs of m things in order.
function pairNumber(a, b, m) {
  return a * m - (a * (a + 1)) / 2 + (b - a - 1);
}

// The decoded pictures of a walk between two of the ends, both ends counted.
function walkPictures(images, pictures, from, to) {
  const size = sizeOf(images.shape);
  const [a, b] = from < to ? [from, to] : [to, from];
  const first = pairNumber(a, b, images.ends.length) * (STEPS - 2);
  const inner = Array.from({ length: STEPS - 2 }, (_, step) => pictureAt(pictures.walks, first + step, size));
  const walk = [pictureAt(pictures.ends, a, size), ...inner, pictureAt(pictures.ends, b, size)];
  return from < to ? walk : walk.reverse();
}

function mixture(images, pictures, from, to, share) {
  const size = sizeOf(images.shape);
  const [one, other] = [from, to].map((end) => pictureAt(pictures.pixels, images.ends[end], size));
  return weighted([[one, 1 - share], [other, share]]);
}

function showWalk(images, pictures, { from, to, step }) {
  const walk = walkPictures(images, pictures, from, to);
  const low = Math.min(Math.floor(step), STEPS - 2);
  const now = weighted([[walk[low], low + 1 - step], [walk[low + 1], step - low]]);
  const share = step / (STEPS - 1);
  const names = `from ${imageName(images, images.ends[from])} to ${imageName(images, images.ends[to])}`;
  const mixtures = walk.map((_, place) => mixture(images, pictures, from, to, place / (STEPS - 1)));
  draw(element("walked"), [now], images.shape, `Decoded at ${percent(share)} of the way ${names}`);
  draw(element("mixed"), [mixture(images, pictures, from, to, share)], images.shape, `Pixels mixed at ${percent(share)} of the way ${names}`);
  draw(element("walk-strip"), walk, images.shape, `Nine pictures decoded on the way ${names}`);
  draw(element("mix-strip"), mixtures, images.shape, `Nine mixtures of pixels on the way ${names}`);
  element("step").value = step;
  element("step").setAttribute("aria-valuetext", `${percent(share)} of the way`);
}
