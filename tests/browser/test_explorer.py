"""The explorer's page in a browser, on a small trained study: what it shows is what the models decode."""

import functools
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from analysis import command, explorer, explorer_models, explorer_page
from analysis.latent_elbow import estimate
from study import datasets, records
from tests.browser.conftest import DESKTOP, PHONE
from tests.conftest import Search

pytestmark = pytest.mark.browser
SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse", batch_size=32)
BLOCKS = {
    "latent": dict(latent_dim=[1, 3]),
    "architecture": dict(architecture=["unet"]),
    "dataset": dict(dataset=["photo_patches"]),
}
TRAINING = dict(epochs=2, seeds=1)
"""
ONE, TWO, THREE = (f"digits-dense-k{k}-mse-b32-s00" for k in (1, 2, 3))
UNET, PATCHES = "digits-unet-k2-mse-b32-s00", "photo_patches-dense-k2-mse-b32-s00"
TRIALS = [TWO, ONE, THREE, UNET, PATCHES]
TOLERANCE = 1  # of 255: a picture is stored to the nearest grey level, and a batch rounds as it likes


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The trained study with its elbow curve and its page."""
    search = Search(tmp_path_factory.mktemp("explored"))
    search.write(SPACE)
    done = search("--workers", "1")
    assert done.returncode == 0, done.stderr
    place = ["tiny", "--artifacts", str(search.artifacts)]
    trials = records.load("tiny", search.artifacts)
    curves = estimate(trials[trials["trial"].str.contains("digits-dense")], datasets.load)
    command.write({"curve": curves.curve, "elbow": curves.elbow}, search.study / "analysis" / "latent_elbow")
    assert explorer.main([*place, "--images", "60"]) == 0
    return search


@pytest.fixture(scope="module")
def page(study):
    return study.study / "analysis" / "explorer" / "explorer.html"


@pytest.fixture(scope="module")
def content(page):
    return content_of(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown(study, content):
    """Trial → its model, its plane and the test images on the page, computed here from the model itself."""

    @functools.cache
    def of(trial):
        described = next(model for model in content["models"] if model["trial"] == trial)
        images = content["images"][described["images"]]
        data = datasets.load(trial.split("-")[0])
        pixels = datasets.to_unit(data.x_test[images["index"]], data.value_range)
        model = records.load_model("tiny", trial, str(study.artifacts))
        found = model.get_layer("encoder")(pixels)
        codes = np.asarray(found[0] if isinstance(found, list) else found)
        return model, explorer_models.plane_of(codes), pixels, codes

    return of


def content_of(text):
    return json.loads(re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.DOTALL)[1])


def opened(visit, page, trial, **options):
    found = visit(page, f"#{trial}", **options)
    found.page.wait_for_function("trial => document.getElementById('facts').textContent.includes(trial)", arg=trial)
    return found


def grey(pixels, channels):
    """A canvas' pixels as the picture has them: (pixels, channels)."""
    table = np.array(pixels).reshape(-1, 4)
    assert (table[:, 3] == 255).all()
    return table[:, :channels]


def expected(model, codes, shape):
    decoded = np.asarray(model.get_layer("decoder")(np.asarray(codes, np.float32)))
    return 255 * np.clip(decoded, 0, 1).reshape(len(codes), -1, shape)


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark", "viewport": PHONE}], ids=["desktop", "dark phone"])
def test_every_model_is_shown_without_an_error_or_a_request(visit, page, options):
    found = opened(visit, page, TRIALS[0], **options)
    for trial in TRIALS:
        found.page.evaluate("trial => { location.hash = trial; }", trial)
        found.page.wait_for_function("trial => document.getElementById('facts').textContent.includes(trial)", arg=trial)
        assert len(set(found.pixels("decoded"))) > 2
    found.assert_clean()


def test_the_page_may_load_nothing(visit, page):
    found = visit(page)
    blocked = found.page.evaluate(
        "() => new Promise(resolve => { "
        "addEventListener('securitypolicyviolation', e => resolve(e.effectiveDirective)); "
        "const i = new Image(); i.src = 'https://example.org/x.png'; })"
    )
    assert blocked == "img-src"
    stayed_out = found.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; "
        "document.body.append(s); return window.ran === undefined; }"
    )
    assert stayed_out


@pytest.mark.parametrize(
    ("trial", "moves"),
    [
        (TWO, ["ArrowRight"] * 3 + ["ArrowUp"] * 2),
        (ONE, ["ArrowLeft"] * 7),
        (THREE, ["ArrowDown"] * 10 + ["ArrowLeft"] * 11),
        (PATCHES, ["ArrowUp"]),
    ],
)
def test_the_keyboard_decodes_what_the_model_decodes_at_nodes(visit, page, shown, trial, moves):
    found = opened(visit, page, trial)
    found.page.focus("#plane")
    found.page.keyboard.press("Home")
    before = found.pixels("decoded")
    for key in moves:
        found.page.keyboard.press(key)
    model, plane, pixels, _ = shown(trial)
    steps = {"ArrowRight": (0, 1), "ArrowLeft": (0, -1), "ArrowUp": (1, 1), "ArrowDown": (1, -1)}
    at = np.array([(count - 1) // 2 for count in plane.counts])
    for key in moves:
        axis, direction = steps[key]
        at[axis] = np.clip(at[axis] + direction, 0, plane.counts[axis] - 1)
    place = plane.low + at / (np.array(plane.counts) - 1) * (plane.high - plane.low)
    channels = pixels.shape[-1]
    decoded = expected(model, plane.codes(place[None]), channels)[0]
    now = found.pixels("decoded")
    assert np.abs(grey(now, channels) - decoded).max() <= TOLERANCE
    assert now != before
    found.assert_clean()


def test_between_nodes_the_picture_is_interpolated(visit, page, shown):
    """The middle of a square, reached by the keyboard: the mean of four decoded corners, within a grey level."""
    found = opened(visit, page, TWO)
    found.page.focus("#plane")
    for key in ["Home", *["Shift+ArrowRight"] * 5, *["Shift+ArrowUp"] * 5]:
        found.page.keyboard.press(key)
    model, plane, _, _ = shown(TWO)
    side = plane.counts[0] - 1
    corners = np.array([[a, b] for a in (10, 11) for b in (10, 11)]) / side
    codes = plane.codes(plane.low + corners * (plane.high - plane.low))
    mean = expected(model, codes, 1).mean(axis=0)
    assert np.abs(grey(found.pixels("decoded"), 1) - mean).max() <= TOLERANCE + 0.5


def test_the_pointer_decodes_where_it_is(visit, page, shown):
    """Each test image's glyph stands at its code: with the pointer on it, the picture is near its reconstruction."""
    found = opened(visit, page, TWO)
    box = found.page.locator("#plane").bounding_box()
    seen = []
    for x, y in [(0.3, 0.3), (0.5, 0.5), (0.8, 0.6)]:
        found.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        seen.append(tuple(found.pixels("decoded")))
    assert len(set(seen)) == 3
    model, _, pixels, _ = shown(TWO)
    glyph = found.page.locator("#plane .glyph").nth(5).bounding_box()
    found.page.mouse.move(glyph["x"] + glyph["width"] / 2, glyph["y"] + glyph["height"] / 2)
    others = 255 * np.clip(np.asarray(model(pixels)), 0, 1).reshape(len(pixels), -1)
    restored = others[5:6].T
    off = np.abs(grey(found.pixels("decoded"), 1) - restored).mean()
    assert off < 4 and off < np.median(np.abs(others - restored.T).mean(axis=1)) / 4
    found.assert_clean()


def test_a_finger_decodes_too_and_picks_the_nearest_image(visit, page):
    found = opened(visit, page, TWO, viewport=PHONE, has_touch=True)
    found.page.locator("#plane").scroll_into_view_if_needed()
    glyph = found.page.locator("#plane .glyph").nth(7).bounding_box()
    before = found.pixels("decoded")
    found.page.touchscreen.tap(glyph["x"] + glyph["width"] / 2, glyph["y"] + glyph["height"] / 2)
    assert found.pixels("decoded") != before
    nearest = re.search(r"number (\d+)", found.page.inner_text("#decoded-text"))[1]
    assert f"test image {nearest}" in found.page.get_attribute("#original", "aria-label")
    found.assert_clean()


@pytest.mark.parametrize("trial", [THREE, UNET, PATCHES])
def test_reconstruction_error_map_and_scores_are_the_models(visit, page, shown, study, trial):
    found = opened(visit, page, trial)
    found.page.select_option("#image", index=4)
    model, _, pixels, _ = shown(trial)
    channels = pixels.shape[-1]
    both = pixels[4:5], np.asarray(model(pixels[4:5]))
    original, restored = (255 * np.clip(x, 0, 1).reshape(-1, channels) for x in both)
    assert np.abs(grey(found.pixels("original"), channels) - original).max() <= TOLERANCE
    assert np.abs(grey(found.pixels("reconstruction"), channels) - restored).max() <= TOLERANCE
    brightest = grey(found.pixels("error"), 3).sum(axis=1).argmax()
    error = np.abs(original - restored).mean(axis=1)
    assert error[brightest] >= error.max() - 2 * TOLERANCE
    table = pd.read_csv(page.parent / "images.csv")
    mse = table[table["trial"] == trial]["mse"].iloc[4]
    assert mse == pytest.approx(np.square((original - restored) / 255).mean(), abs=2e-3)
    assert f"{float(f'{mse:.3g}'):g}" in found.page.inner_text("#scores")
    found.assert_clean()


def test_a_walk_is_decoded_on_the_line_between_two_codes(visit, page, shown, content):
    found = opened(visit, page, THREE)
    found.page.select_option("#from", index=6)
    found.page.select_option("#to", index=2)
    found.page.focus("#step")
    found.page.keyboard.press("End")
    model, _, pixels, codes = shown(THREE)
    ends = next(iter(content["images"].values()))["ends"]
    first, last = codes[ends[6]], codes[ends[2]]
    assert np.abs(grey(found.pixels("walked"), 1) - expected(model, [last], 1)[0]).max() <= TOLERANCE
    strip = np.array(found.pixels("walk-strip")).reshape(8, 9 * 9 - 1, 4)[:, :, 0]
    line = expected(model, [(1 - t) * first + t * last for t in np.linspace(0, 1, 9)], 1)
    for step in range(9):
        assert np.abs(strip[:, 9 * step : 9 * step + 8].reshape(-1, 1) - line[step]).max() <= TOLERANCE
    mixed = np.array(found.pixels("mix-strip")).reshape(8, 9 * 9 - 1, 4)[:, 36:44, 0]
    half = 255 * (pixels[ends[6]] + pixels[ends[2]]).reshape(8, 8) / 2
    assert np.abs(mixed - half).max() <= TOLERANCE
    found.page.select_option("#to", index=6)  # the same image at both ends: they change places
    assert found.page.input_value("#from") == str(ends[2])
    found.assert_clean()


def test_choices_lead_to_the_nearest_model_and_say_what_else_changed(visit, page):
    found = opened(visit, page, TWO)
    found.page.select_option("#choose-latent_dim", "3")
    found.page.wait_for_function("() => document.getElementById('facts').textContent.includes('-k3-')")
    assert found.page.inner_text("#spoken") == ""
    found.page.select_option("#choose-architecture", "unet")
    found.page.wait_for_function("() => document.getElementById('facts').textContent.includes('unet')")
    assert "latent size is now 2" in found.page.inner_text("#spoken")
    assert "means over training images" in found.page.inner_text("#plane-text")
    found.page.go_back()
    found.page.wait_for_function("() => document.getElementById('facts').textContent.includes('-k3-')")
    found.assert_clean()


def test_the_elbow_shows_the_analysis_and_opens_its_models(visit, page, study):
    found = opened(visit, page, TWO)
    curve = pd.read_csv(study.study / "analysis" / "latent_elbow" / "curve.csv").query("split == 'val'")
    assert found.page.locator("#elbow-plot a").count() == len(curve) == 3
    elbow = pd.read_csv(study.study / "analysis" / "latent_elbow" / "elbow.csv").query("not shortened")
    for rule, choice in zip(elbow["rule"], elbow["choice"], strict=True):
        found.page.select_option("#rule", rule)
        assert f": {choice} (n = 1 seeds" in found.page.inner_text("#elbow-text")
    link = found.page.locator(f'#elbow-plot a[href="#{THREE}"]')
    link.focus()
    found.page.keyboard.press("Enter")
    found.page.wait_for_function("() => document.getElementById('facts').textContent.includes('-k3-')")
    assert "is the point at 3" in found.page.inner_text("#elbow-text")
    assert found.page.evaluate("document.activeElement.getAttribute('href')") == f"#{THREE}"
    found.assert_clean()


def test_the_keyboard_reaches_everything_that_can_be_operated(visit, page):
    found = opened(visit, page, TWO)
    listed = (
        "[...document.querySelectorAll('select, button, input, summary, [tabindex], a[href]')]"
        ".filter(e => e.checkVisibility())"
    )
    count = found.page.evaluate(f"() => {listed}.length")
    reached = set()
    for _ in range(count + 2):
        found.page.keyboard.press("Tab")
        reached.add(found.page.evaluate(f"() => {listed}.indexOf(document.activeElement)"))
    assert count > 20 and set(range(count)) <= reached


def test_keys_pick_the_nearest_image_and_say_where_one_is(visit, page):
    found = opened(visit, page, TWO)
    found.page.focus("#plane")
    for key in ["Home", "ArrowUp", "Enter"]:
        found.page.keyboard.press(key)
    nearest = re.search(r"number (\d+)", found.page.inner_text("#decoded-text"))[1]
    assert f"test image {nearest}" in found.page.get_attribute("#original", "aria-label")
    found.page.wait_for_function("() => document.getElementById('spoken-place').textContent.startsWith('Decoded at')")
    found.page.focus("#slider-0")
    before = found.pixels("decoded")
    found.page.keyboard.press("ArrowRight")
    assert found.pixels("decoded") != before
    assert "nearest is test image" in found.page.get_attribute("#slider-0", "aria-valuetext")


@pytest.mark.parametrize("trial", [ONE, TWO, PATCHES])
def test_each_picture_has_a_text_alternative(visit, page, trial):
    found = opened(visit, page, trial)
    named = found.page.evaluate(
        "() => [...document.querySelectorAll('canvas, img, body > * svg')]"
        ".map(e => [e.id, e.getAttribute('aria-label') || e.getAttribute('alt') || ''])"
    )
    assert len(named) == 10
    assert all(len(text) > 10 for _, text in named), named
    assert len({text for _, text in named}) == len(named)


@pytest.mark.parametrize(
    ("trial", "viewport", "scheme"),
    [(TWO, DESKTOP, "light"), (ONE, DESKTOP, "dark"), (ONE, PHONE, "light"), (TWO, PHONE, "dark")],
)
def test_axe_finds_nothing(visit, page, trial, viewport, scheme):
    found = opened(visit, page, trial, viewport=viewport, color_scheme=scheme)
    found.page.locator("details summary").click()
    assert found.violations() == []
    wide = found.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert not wide


def test_who_wants_less_motion_gets_no_animation(visit, page):
    assert not opened(visit, page, TWO, reduced_motion="reduce").page.locator("#play").is_visible()
    found = opened(visit, page, TWO)
    before = found.pixels("walked")
    found.page.click("#play")
    found.page.wait_for_selector("#play:text('Stop')")
    found.page.wait_for_selector("#play:text('Play')")  # at the other end
    assert found.page.input_value("#step") == "8"
    assert found.pixels("walked") != before
    found.assert_clean()


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&../..\\\u2028--><!--"


def test_names_with_markup_quotes_and_paths_do_no_harm(visit, content, tmp_path):
    text = json.dumps(content)
    for name in ("dense", "digits", "class"):
        text = text.replace(name, json.dumps(HOSTILE + name)[1:-1])
    spoiled = json.loads(text) | {"study": HOSTILE, "notices": [HOSTILE]}
    for images in spoiled["images"].values():
        if images["labels"]:
            images["labels"] = [HOSTILE + label for label in images["labels"]]
    path = tmp_path / "hostile #1 %41'.html"
    path.write_text(explorer_page.page(spoiled), encoding="utf-8")
    found = visit(path)
    found.page.wait_for_selector("body[data-ready]")
    for select, index in (("#choose-latent_dim", 2), ("#image", 3), ("#from", 3)):
        found.page.select_option(select, index=index)
    assert HOSTILE.split("\u2028")[0] in found.page.inner_text("#notices")
    assert found.page.locator("script").count() == 2
    assert found.page.locator("img").count() == 0
    found.assert_clean()


def test_a_model_that_is_gone_is_named_with_its_remedy_and_the_rest_works(visit, study, tmp_path, capsys):
    artifacts = tmp_path / "artifacts"
    shutil.copytree(study.artifacts, artifacts)
    (artifacts / "tiny" / "trials" / THREE / "model.keras").unlink()
    place = ["tiny", "--artifacts", str(artifacts), "--cells", "digits-dense-*", "--images", "20"]
    assert explorer.main(place) == 0
    assert f"{THREE} is not shown" in capsys.readouterr().out
    found = opened(visit, artifacts / "tiny" / "analysis" / "explorer" / "explorer.html", TWO)
    assert f"--rebuild {THREE}" in found.page.inner_text("#notices")
    found.page.focus("#plane")
    found.page.keyboard.press("ArrowUp")
    assert found.page.locator("#elbow-plot a").count() == 2
    found.assert_clean()


def test_the_same_records_give_the_same_bytes(study, tmp_path):
    artifacts = tmp_path / "artifacts"
    shutil.copytree(study.artifacts, artifacts)
    folder = artifacts / "tiny" / "analysis" / "explorer"
    written = []
    for _ in range(2):
        assert explorer.main(["tiny", "--artifacts", str(artifacts), "--cells", ONE, "--images", "5"]) == 0
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1] and set(written[0]) == {"explorer.html", "models.csv", "images.csv"}
