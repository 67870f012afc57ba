// Which model is shown: a choice for each factor. Not every combination was trained; then the nearest one is taken.

const FACTORS = {
  dataset: "Data set", architecture: "Architecture", latent_dim: "Latent size", loss: "Loss",
  regularizer: "Regularizer", variant: "Other settings",
};
const WEIGHTS = { dataset: 16, architecture: 8, latent_dim: 4, loss: 2, regularizer: 1.5, variant: 1 };
const ALWAYS = ["dataset", "architecture", "latent_dim", "loss"];

// What stands in the page's address for a trial: a link to it, or a bookmark.
function addressOf(trial) {
  return `#${encodeURIComponent(trial)}`;
}

function levelsOf(factor) {
  const levels = [...new Set(content.models.map((model) => model.levels[factor]))];
  return factor === "latent_dim" ? levels.sort((a, b) => a - b) : levels;
}

// The model that has a level of one factor and agrees best with `current` in the others; the first of equals.
function nearestModel(current, factor, level) {
  const agreement = (model) => Object.keys(FACTORS).reduce(
    (sum, other) => sum + (model.levels[other] === current.levels[other] ? WEIGHTS[other] : 0), 0,
  ) - Math.abs(Math.log(model.levels.latent_dim / current.levels.latent_dim)) / 100;
  const able = content.models.filter((model) => model.levels[factor] === level);
  return able.reduce((best, model) => (agreement(model) > agreement(best) ? model : best));
}

function differing(one, other) {
  return Object.keys(FACTORS).filter((factor) => one.levels[factor] !== other.levels[factor]);
}

// Fills the form for a model; `onChoice` is given the model that a choice leads to, and what else it changes.
function showChoice(current, onChoice) {
  const shown = Object.keys(FACTORS).filter((factor) => ALWAYS.includes(factor) || levelsOf(factor).length > 1);
  const form = element("choice");
  if (!form.children.length) for (const factor of shown) form.append(field(factor));
  for (const factor of shown) {
    const select = element(`choose-${factor}`);
    fill(select, levelsOf(factor).map((level) => [level, optionText(current, factor, level)]), current.levels[factor]);
    select.onchange = () => {
      const chosen = nearestModel(current, factor, select.value);
      onChoice(chosen, differing(current, chosen).filter((other) => other !== factor));
    };
  }
}

function field(factor) {
  const box = make("div");
  box.append(make("label", { for: `choose-${factor}` }, FACTORS[factor]), make("select", { id: `choose-${factor}` }));
  return box;
}

function optionText(current, factor, level) {
  const others = differing(current, nearestModel(current, factor, level)).filter((other) => other !== factor);
  const changes = others.map((other) => FACTORS[other].toLowerCase()).join(", ");
  return changes ? `${level} (changes ${changes})` : level;
}

// What a choice changed besides what was chosen, for the line under the form.
function changesInWords(model, others) {
  if (!others.length) return "";
  const now = others.map((factor) => `${FACTORS[factor].toLowerCase()} is now ${model.levels[factor]}`);
  return `No model with this choice and the other settings is on this page: ${now.join("; ")}.`;
}
