"""The page of `choose` and its words: pictures of what was trained, tables, what is not said."""

import json
import re

import numpy as np
import pytest
from sklearn.metrics import f1_score

from offby.choice.trained.scored import Scored
from offby.losses import Absolute, Huber, Pinball, Poisson, Squared
from offby.report import choice_charts, study_class_charts, study_words
from offby.verbs.choose import choose

ROWS = 400


def numbers(noise="t", seed=0):
    """A linear signal in two columns with heavy-tailed or skewed noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(ROWS, 2))
    drawn = random.standard_t(2, ROWS) if noise == "t" else 2 * random.exponential(size=ROWS)
    return {"a": X[:, 0], "b": X[:, 1], "y": X @ [1.0, 2.0] + drawn}


def classes(seed=0):
    """One row in six is a yes."""
    random = np.random.default_rng(seed)
    x = random.normal(size=ROWS)
    return {"x": x, "y": (random.random(ROWS) < 1 / (1 + np.exp(2.2 - x))).astype(int)}


@pytest.fixture(scope="module")
def of_numbers():
    return choose(numbers(), target="y", judge="mae", repeats=1)


@pytest.fixture(scope="module")
def of_classes():
    return choose(classes(), target="y", judge="f1", repeats=1)


def titles(page):
    return re.findall(r"<h3>(.*?)</h3>", page)


def test_what_was_trained_is_drawn(of_numbers):
    page = of_numbers.to_html()
    assert titles(page) == [
        "What each loss gains over mse", "The errors, and noise fitted to them",
        "What each loss charges", "How strongly a row pulls",
    ]  # fmt: skip
    for chart, name in zip(of_numbers.draw()[2:], ["charges", "pulls"], strict=True):
        assert name in chart.title
        assert [key.text.partition(":")[0] for key in chart.keys[:3]] == ["mse", "mae", "huber"]
    assert page.count("<svg xmlns") == 4
    assert "https://" not in page


def test_every_gain_is_drawn_with_its_verdict(of_numbers):
    gains, *_ = of_numbers.draw()
    for line in of_numbers.table.values[1:]:
        assert line["loss"] in gains.body
    told = {line["verdict"] for line in of_numbers.table.values[1:]}
    unsure = {"tied", "cannot tell"}
    assert {key.text for key in gains.keys} == {
        "no sure difference" if one in unsure else one for one in told
    }


def test_the_errors_drawn_are_those_of_the_loss_to_take(of_numbers):
    noise = of_numbers.draw()[1]
    taken = next(x["loss"] for x in of_numbers.table.values if x["verdict"] == "recommended")
    assert noise.caption.startswith(f"Errors of {taken}, each row's by a model that did not see it")


def test_classes_are_drawn_along_the_thresholds(of_classes):
    assert titles(of_classes.to_html()) == [
        "What each loss gains over cross_entropy", "Weighting, or moving the threshold?",
        "What a threshold gives: f1",
    ]  # fmt: skip
    other = choose(classes(), target="y", judge="log_loss", repeats=1)
    assert titles(other.to_html())[1:] == ["Weighting, or moving the threshold?"]


def test_f1_along_thresholds_is_that_of_scikit_learn():
    random = np.random.default_rng(1)
    y = random.integers(0, 2, 60).astype(float)
    chances = np.round(random.random(60), 1)
    at, height = study_class_charts._along("f1", y, chances, None)
    assert at.tolist() == sorted(set(chances.tolist()), reverse=True)
    told = [f1_score(y, chances >= cut) for cut in at]
    np.testing.assert_allclose(height, told, atol=1e-12)


def test_dots_stand_at_the_precision_and_recall_of_the_table(of_classes):
    lines = {line["loss"]: line["judged"] for line in of_classes.table.values}
    drawn = of_classes.draw()[1]
    defined = [name for name, told in lines.items() if told["precision"] is not None]
    assert [key.text for key in drawn.keys[1:]] == defined


def test_losses_of_the_error_alone_are_curves():
    for loss in (Squared(), Absolute(), Huber(2.0), Pinball(0.9)):
        assert choice_charts.of_error(loss)
    assert not choice_charts.of_error(Poisson())


def test_verdicts_stand_beside_the_judge(of_numbers):
    assert of_numbers.table.heads == ("train with", "mae", "gain", "verdict", "mse")
    for line, heat in zip(of_numbers.table.lines, of_numbers.table.heat, strict=True):
        assert len(line) == len(heat) == 5
        assert [shade is None for shade in heat] == [True, False, True, True, False]


def test_under_a_function_of_a_mean_stands_that_mean():
    """WAPE is MAE over the mean size of the truths, RMSE the root of MSE."""
    told = [choose(numbers("skewed"), target="y", judge=name, repeats=2, candidates="mse,mae")
            for name in ("mae", "wape", "rmse")]  # fmt: skip
    mae, wape, rmse = told
    assert wape.table.heads == mae.table.heads == ("train with", "mae", "gain", "verdict", "mse")
    assert wape.table.lines == mae.table.lines
    assert wape.recommendation == f"{mae.recommendation[:-1]} for wape."
    assert rmse.table.heads == ("train with", "mse", "gain", "verdict", "mae")


def test_no_column_is_cut_off_at_80(of_classes):
    text = of_classes.to_text(80)
    assert max(map(len, text.splitlines())) <= 80
    heads = [word for line in text.splitlines() if line.startswith("train with")
             for word in line.split()[2:]]  # fmt: skip
    assert heads == list(of_classes.table.heads[1:])
    wide = [line for line in of_classes.to_text(140).splitlines() if line.startswith("train with")]
    assert len(wide) == 1


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1e-9, "0 %"), (-1e-9, "0 %"), (0.0341, "+3.4 %"), (-2.5, "-250 %"), (-28.0, "-2,800 %")],
)
def test_gains_are_shown_without_digits_that_mean_nothing(share, shown):
    assert study_words.signed(share) == shown


def test_a_wide_interval_is_not_called_a_tie():
    """Where gains are about zero: within 5 % of the cost they are a tie, beyond nothing is told."""
    even = np.tile([1.0, 1.0, 1.0, 1.0, 1.0], (1, 1))
    for size, tied in ((0.01, True), (0.2, False)):
        other = even * (1 + size * np.array([1, -1, 1, -1, 0]))
        for relative in (True, False):
            costs = np.stack([even, other])
            scored = Scored(("a", "b"), ("mse",), costs, 0.25, 0.95, relative)
            assert not scored.sure_gain(1).nonzero
            assert study_words._near(scored, scored.sure_gain(1)) is tied


def test_reasons_that_are_alike_are_told_once():
    found = choose(numbers(), target="y", candidates="mse,poisson,tweedie:1.5,gamma,mae", repeats=1)
    told = [one.text for one in found.evidence if one.name.startswith("skipped")]
    assert len(told) < 3
    assert all(any(name in text for text in told) for name in ("poisson", "tweedie:1.5", "gamma"))


def test_predictions_below_zero_are_said_to_hide_losses_of_amounts():
    random = np.random.default_rng(0)
    mean = random.uniform(0.5, 4.0, 1000)
    y = random.poisson(mean).astype(float)
    seen = choose(y, mean, task="regression")
    assert "poisson" in [line["loss"] for line in seen.table.values]
    hidden = choose(y, np.where(np.arange(1000) < 3, -0.1, mean), task="regression")
    assert "poisson" not in [line["loss"] for line in hidden.table.values]
    assert "Of 1,000 predictions 3 are not above 0" in " ".join(hidden.sentences)


def test_a_log_link_is_not_taken_for_granted():
    random = np.random.default_rng(0)
    mean = random.uniform(1.0, 40.0, 2000)
    found = choose(random.gamma(5.0, mean / 5.0), mean)
    assert found.recommendation.startswith("Try gamma")
    assert "a fit of the same shape needs" in found.recommendation
    assert "log link" in found.sentences[2]


def test_rows_saved_are_a_share_with_its_interval():
    random = np.random.default_rng(1)
    p = random.normal(size=2000)
    found = choose(p + random.standard_t(2, size=2000), p)
    place = found.table.heads.index("rows saved")
    (line,) = (line for line in found.table.lines if "recommended" in line)
    assert re.fullmatch(r"\d+ % \(\d+ … \d+\)", line[place])


def test_the_page_and_json_say_the_same(offby_command, tmp_path):
    path, page = tmp_path / "t.csv", tmp_path / "p.html"
    table = numbers("skewed")
    rows = np.stack(list(table.values())).T
    np.savetxt(path, rows, delimiter=",", header="a,b,y", comments="")
    asked = ["choose", str(path), "--target", "y", "--candidates", "mse,mae", "--repeats", "1"]
    told = json.loads(offby_command(*asked, "--json", "--html", str(page)).out)
    text = page.read_text(encoding="utf-8")
    assert told["recommendation"].replace("'", "&#39;") in text
    for line in told["table"]:
        assert f'<th scope="row">{line["loss"]}</th>' in text
    assert "± se" not in text
