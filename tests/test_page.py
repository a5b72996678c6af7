"""The page: it stands alone, says what the report says, and draws whatever numbers come."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from offby import measure
from offby.formula import p, r, y
from offby.losses import NAMES
from offby.measures.measurement import Measurement
from offby.report import terminal
from offby.report.charts import charts
from offby.report.finding import Finding
from offby.report.report import Report
from offby.report.view import Row, View

FLIGHTS = Path(__file__).parent.parent / "examples" / "flights.parquet"
VOID = {"meta", "br", "hr", "img", "input", "link"}
RNG = np.random.default_rng(7)
MAE = Measurement("mae", 2.0, 0.1, 1.8, 2.2, n=3, units="y")
RMSE = Measurement("rmse", 3.0, 0.2, 2.6, 3.4, n=3, units="y", caution="heavy tail")
FINDINGS = (Finding("bias", "no bias & nothing < 0"), Finding("tail", "the tail is heavy"))


class Balance(HTMLParser):
    """Fails at the first tag that closes another than the one last opened."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def parsed(text):
    found = Balance()
    found.feed(text)
    found.close()
    assert found.open == []
    assert len(set(found.ids)) == len(found.ids)
    return found


def check(text):
    """The page stands alone, is well formed and small, and shows no number that is none."""
    assert len(text.encode()) < 2_000_000
    urls = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(script|link|img|iframe)|@import|url\((?!#)|\bsrc=", text)
    found = parsed(text)
    assert not re.search(r"\b(nan|inf|infinity|undefined|none)\b", " ".join(found.words), re.I)
    assert not re.search(r'="[^"]*\b(NaN|Infinity|undefined)\b', text)
    referred = re.findall(r'url\(#([^)]+)\)|aria-labelledby="([^"]+)"', text)
    assert {a or b for a, b in referred} <= set(found.ids)
    return " ".join(" ".join(found.words).split())


def by_hand(truths, guesses, weights=None, **options):
    """A report whose measures are fixed and whose pictures are of these rows."""
    truths, guesses = np.asarray(truths, float), np.asarray(guesses, float)
    with np.errstate(all="ignore"):
        errors = guesses - truths
        sizes = np.sort(np.abs(errors))
        total = float(np.sum(errors**2))
        worst = [
            Row(int(at) + 1, float(truths[at]), float(guesses[at]), float(errors[at] ** 2 / total))
            for at in np.argsort(-np.abs(errors))[:12]
        ]
    view = View(
        truths, guesses, sizes, np.ones(sizes.size) if weights is None else weights,
        tuple(worst), None, {"squared": r**2, "absolute": abs(r)},
    )  # fmt: skip
    given = {"rows": truths.size, "measures": {"mae": MAE, "rmse": RMSE}, "findings": FINDINGS}
    return Report(**{**given, "view": view, **options})


def test_says_what_the_report_says():
    report = by_hand(
        [1, 2, 3], [2, 2, 5], columns="truth a, prediction b", source="houses.csv", dropped=4
    )
    words = check(report.to_html())
    for said in (terminal.headline(report), "houses.csv", "truth a, prediction b", "heavy tail",
                 *(finding.text for finding in FINDINGS)):  # fmt: skip
        assert said in words
    assert words.count("heavy tail") == 1


def test_real_examples_draw_every_picture():
    report = measure(FLIGHTS, true="arr_delay", pred="predicted")
    words = check(report.to_html())
    assert terminal.headline(report) in words
    assert all(finding.text in words for finding in report.findings)
    assert "The worst 1 % (540 rows) own 41 % of the MSE and 9.7 % of the MAE" in words
    assert "43,363 847 -2.98 -849.98" in words
    assert len(charts(report)) == 4
    assert len(report.to_html()) < 400_000


def test_a_notebook_gets_a_fragment():
    report = measure([210_000, 240_000, 320_000], [200_000, 250_000, 300_000])
    text = report._repr_html_()
    assert "13,333" in check(text)
    assert "<html" not in text
    assert text.count("<figure>") == 2
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    selectors = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]+\{", "", style))
    assert all(part.strip().startswith(".offby") for s in selectors for part in s.split(","))


def test_a_notebook_is_shown_a_report_once(monkeypatch):
    """There rich would show the text itself, above the page, and leave nothing to return."""
    report = measure([210_000, 240_000, 320_000], [200_000, 250_000, 300_000])
    elsewhere = repr(report)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert repr(report) == elsewhere


def test_is_small_for_a_table_of_any_size():
    truths, guesses = RNG.standard_t(2, (2, 16_384)) * 1e3
    report = by_hand(truths, guesses, rows=50_000_000)
    sizes = np.sort(np.abs(RNG.standard_t(2, 65_536)))
    view = View(truths, guesses, sizes, RNG.integers(1, 2000, 65_536).astype(float))
    text = Report(50_000_000, report.measures, FINDINGS, view=view).to_html()
    check(text)
    assert len(text) < 400_000
    assert "16,384 rows, evenly spread" in text


def test_same_report_same_page():
    truths, guesses = RNG.normal(size=(2, 3000))
    report = by_hand(truths, guesses)
    assert report.to_html() == report.to_html()


def test_names_cannot_write_markup():
    evil = '<script>alert("é")</script>'
    inner = by_hand([1, 2, 3], [2, 2, 5])
    view = View(*(np.array([1.0, 2, 4]) for _ in range(4)), losses={})
    view = View(view.y_true, view.y_pred + 1, view.sizes, view.weights, losses={evil: r**2})
    report = Report(
        3, {evil: MAE}, (Finding("x", evil),), columns=evil, source=evil, view=view,
        outputs={evil: inner},
    )  # fmt: skip
    for text in (report.to_html(), report._repr_html_()):
        assert "<script" not in text
        assert "&lt;script&gt;alert(" in text
        parsed(text)


SPREAD = 10.0 ** RNG.uniform(-300, 300, (2, 2500))
CASES = {
    "no rows": ([], []),
    "one row": ([1.0], [2.0]),
    "two rows": ([1, 2], [2, 4]),
    "three rows": ([1, 2, 3], [2, 2, 5]),
    "constant truth": ([3.0] * 60, RNG.normal(size=60)),
    "constant prediction": (RNG.normal(size=2000), [1.0] * 2000),
    "all exact": (range(300), range(300)),
    "all zero": ([0] * 2000, [0] * 2000),
    "one outlier": ([0.0] * 2999 + [1e6], [0.0] * 3000),
    "huge": ([1e300, -1e300, 5e299] * 20, [2e299, 1e300, -1e300] * 20),
    "the hugest": ([1.7e308, -1.7e308, 0.0], [-1.7e308, 1.7e308, 1.0]),
    "only the hugest": ([1.7e308] * 3, [-1.7e308] * 3),
    "tiny": ([5e-324, 1e-310, 3e-320], [0.0] * 3),
    "every size": tuple(SPREAD),
    "few of every size": tuple(SPREAD[:, :30]),
    "negative": tuple(-RNG.lognormal(size=(2, 400))),
    "whole numbers": tuple(RNG.poisson(3, (2, 5000))),
    "two values": tuple(RNG.integers(0, 2, (2, 500))),
    "far from zero": tuple(1e9 + RNG.normal(size=(2, 2000)) * 1e-6),
    "no mean": tuple(RNG.standard_cauchy((2, 16_000))),
}


@pytest.mark.parametrize("name", CASES)
def test_draws_whatever_comes(name):
    report = by_hand(*CASES[name])
    check(report.to_html())
    check(report._repr_html_())


def test_every_loss_has_a_shape_or_is_left_out():
    truths, guesses = RNG.lognormal(size=(2, 500))
    shapes = {str(kind()): kind().expression for kind in NAMES.values()}
    shapes |= {"late": y * abs(r) / p, "none": r * 0, "log": r / (r - r)}
    for some in ({name: shapes[name]} for name in shapes):
        view = by_hand(truths, guesses).view
        drawn = View(view.y_true, view.y_pred, view.sizes, view.weights, losses=some)
        check(Report(500, {"mae": MAE}, view=drawn).to_html())


def test_measures_of_every_kind():
    measures = {
        "msle": Measurement("msle", None, confidence=0.9, undefined="log of 0 in row 3"),
        "poisson": Measurement("poisson", np.inf, unsure="the value is infinite"),
        "low": Measurement("low", -np.inf, 1.0, -np.inf, np.inf),
        "auc": Measurement("auc", 0.7, 0.01, 0.68, 0.72, bracket=(0.69, 0.71)),
        "bias": Measurement("bias", 0.0, 0.1, -0.2, 0.2, better="zero"),
        "skew": Measurement("skew", 1e-300, 1.0, 1e-301, 1e300),
    }
    text = Report(3, measures).to_html()
    parsed(text)
    for said in ("log of 0 in row 3", "∞", "surely in 0.69", "90 % interval"):
        assert said in text
    assert "<figure>" not in text


def test_no_view_no_pictures():
    words = check(Report(3, {"mae": MAE}, FINDINGS).to_html())
    assert "The worst rows" not in words


def test_several_outputs():
    truths, guesses = RNG.normal(size=(2, 200, 2))
    report = measure(truths, guesses)
    words = check(report.to_html())
    assert "Average over the outputs" in words
    assert report.to_html().count("<figure>") == 8
    assert all(name in words for name in report.outputs)


def test_many_outputs_stay_small():
    part = by_hand(RNG.normal(size=3000), RNG.normal(size=3000))
    outputs = {f"output {at}": part for at in range(2000)}
    findings = tuple(Finding("x", f"{name}: {FINDINGS[0].text}") for name in outputs)
    text = Report(3000, part.measures, findings, outputs=outputs).to_html()
    check(text)
    assert text.count("<figure>") == 24
    assert "Of 2,000 outputs this page has pictures for the first 6" in text


def test_weights_count_in_the_concentration():
    report = by_hand([0, 0, 0], [1, 1, 2], weights=np.array([1.0, 1.0, 0.0]))
    assert "The worst row owns 33 % of the MSE" in check(report.to_html())


def test_few_rows_beyond_the_picture_are_counted():
    truths = RNG.normal(size=1000)
    guesses = truths + RNG.normal(size=1000)
    truths[17] = guesses[17] = 1e5
    assert "of the 1,000 rows lie outside the picture" in check(by_hand(truths, guesses).to_html())
