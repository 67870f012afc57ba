// The elbow curve: validation error over latent size, the size that a rule chooses, each point a link to its model.

const EDGE = { left: 52, right: 14, top: 26, bottom: 44 };

function curveOf(model) {
  return content.curves.findIndex((curve) => curve.points.some((point) => point.trial === model.trial));
}

function setUpElbow(onChange) {
  element("elbow").hidden = !content.curves.length;
  if (!content.curves.length) {
    element("elbow-text").textContent = `No elbow curve is here yet. It comes from python -m analysis.latent_elbow ${content.study}, `
      + `after which python -m analysis.explorer ${content.study} writes this page with it.`;
    return;
  }
  fill(element("curve"), content.curves.map((curve, number) => [number, curve.name]), 0);
  for (const id of ["curve", "rule"]) element(id).onchange = onChange;
}

// Draws the curve that is chosen. The link that had the focus has it again afterwards.
function showElbow(model) {
  if (!content.curves.length) return;
  const curve = content.curves[element("curve").value];
  const focused = document.activeElement?.getAttribute("href");
  const rule = element("rule").value || curve.rules[0].rule;
  fill(element("rule"), curve.rules.map((one) => [one.rule, one.rule]), rule);
  const chosen = curve.rules.find((one) => one.rule === element("rule").value) ?? curve.rules[0];
  element("rule").value = chosen.rule;
  const here = curve.points.find((point) => point.trial === model.trial);
  element("elbow-text").textContent = elbowInWords(curve, chosen, here);
  plotElbow(element("elbow-plot"), curve, chosen, here);
  element("elbow-numbers").replaceChildren(...curve.points.map(numbersRow));
  if (focused) element("elbow-plot").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function elbowInWords(curve, chosen, here) {
  const size = chosen.value === null ? "no size of the grid" : `latent size ${chosen.value}`;
  const place = here ? `The model shown above is the point at ${here.k}.` : "The model shown above is not on this curve.";
  return `${curve.name}: the rule “${chosen.rule}” chooses ${size}: ${chosen.choice} (n = ${chosen.n} seeds; ${chosen.method}). ${place} `
    + "A point opens its model.";
}

function plotElbow(svg, curve, chosen, here) {
  const width = Math.min(Math.max(svg.parentElement.clientWidth, 260), 736);
  const height = Math.round(Math.max(260, width * 0.5));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", `Elbow curve of ${curve.name}: validation error over latent size, with the size chosen`);
  const sizes = curve.points.map((point) => Math.log2(point.k));
  const most = Math.max(...curve.points.flatMap((point) => [point.relative, point.high, point.pca_relative]), 0.25) * 1.05;
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  const x = (k) => EDGE.left + 14 + ((Math.log2(k) - first) / (last - first)) * (width - EDGE.left - EDGE.right - 28);
  const y = (error) => height - EDGE.bottom - (error / most) * (height - EDGE.top - EDGE.bottom);
  svg.replaceChildren(
    ...axes(curve, x, y, width, height, most), ...choiceMarks(chosen, curve, x, y, width),
    path("pca", curve.points, x, (point) => y(point.pca_relative), (point) => point.pca_relative !== null),
    path("curve", curve.points.filter((point) => !point.excluded), x, (point) => y(point.relative), (point) => point.relative !== null),
    ...curve.points.flatMap((point) => pointMarks(point, x, y, point === here, most)),
  );
}

function axes(curve, x, y, width, height, most) {
  const bottom = height - EDGE.bottom;
  const step = [0.05, 0.1, 0.2, 0.25, 0.5].find((size) => most / size <= 6) ?? 1;
  const levels = Array.from({ length: Math.floor(most / step) + 1 }, (_, number) => number * step);
  return [
    shape("rect", { class: "frame", x: EDGE.left, y: EDGE.top, width: width - EDGE.left - EDGE.right, height: bottom - EDGE.top }),
    ...levels.map((level) => shape("text", { x: EDGE.left - 6, y: y(level) + 4, "text-anchor": "end" }, `${Math.round(100 * level)} %`)),
    ...curve.points.map(({ k }) => shape("text", { x: x(k), y: bottom + 16, "text-anchor": "middle" }, k)),
    shape("text", { x: (EDGE.left + width) / 2, y: height - 8, "text-anchor": "middle" }, "latent size"),
    shape("text", { x: 0, y: 14 }, `${curve.metric} ÷ the mean image's`),
  ];
}

function choiceMarks(chosen, curve, x, y, width) {
  const last = curve.points[curve.points.length - 1].k;
  const marks = [];
  if (chosen.low !== null) { // else all of the interval lies beyond the grid
    const [low, high] = [x(chosen.low), x(chosen.high ?? last)];
    marks.push(shape("rect", { class: "band", x: low - 5, y: EDGE.top, width: high - low + 10, height: y(0) - EDGE.top }));
  }
  if (chosen.threshold !== null) {
    marks.push(shape("line", { class: "threshold", x1: EDGE.left, x2: width - EDGE.right, y1: y(chosen.threshold), y2: y(chosen.threshold) }));
  }
  if (chosen.value !== null) {
    marks.push(shape("line", { class: "choice", x1: x(chosen.value), x2: x(chosen.value), y1: EDGE.top, y2: y(0) }));
  }
  return marks;
}

function path(name, points, x, height, exists) {
  const steps = points.filter(exists).map((point, number) => `${number ? "L" : "M"}${x(point.k)} ${height(point)}`);
  return shape("path", { class: name, d: steps.join(" ") });
}

function pointMarks(point, x, y, isHere, most) {
  const marks = [];
  const px = x(point.k);
  if (point.pca_relative !== null) {
    marks.push(shape("rect", { class: "pca-mark", x: px - 3, y: y(point.pca_relative) - 3, width: 6, height: 6 }));
  }
  if (point.relative === null) return marks;
  if (point.low !== null) {
    const [low, high] = [Math.max(point.low, 0), Math.min(point.high, most)];
    marks.push(shape("line", { class: "bar", x1: px, x2: px, y1: y(low), y2: y(high) }));
  }
  const dot = shape("circle", { class: point.excluded ? "point open" : "point", cx: px, cy: y(point.relative), r: 6 });
  if (isHere) marks.push(shape("circle", { class: "here", cx: px, cy: y(point.relative), r: 10 }));
  if (!point.trial) return [...marks, dot];
  const link = shape("a", { href: addressOf(point.trial), "aria-label": pointInWords(point) });
  link.append(dot);
  return [...marks, link];
}

function pointInWords(point) {
  const excluded = point.excluded ? ", left out of the rule: its network has a layer narrower than the code" : "";
  return `Latent size ${point.k}, error ${percent(point.relative)} of the mean image's${excluded}: show this model`;
}

function numbersRow(point) {
  const row = make("tr");
  const interval = point.low === null ? "–" : `${percent(point.low)} to ${percent(point.high)}`;
  row.append(make("th", { scope: "row" }, `${point.k}${point.excluded ? " (left out)" : ""}`));
  for (const text of [percent(point.relative), interval, point.n, percent(point.pca_relative)]) row.append(make("td", {}, text));
  const cell = make("td");
  if (point.trial) cell.append(make("a", { href: addressOf(point.trial) }, point.trial));
  else cell.append("–");
  row.append(cell);
  return row;
}
