"""Gates: the whole interval decides, `.value` asks for the point, and nothing bad slips through."""

import json

import pytest

import offby
from offby import MeasureError
from offby.verbs.gates import Gate, gates

HOUSES = "examples/houses.csv"  # MAE 13,333 with interval 4,252 ... 41,811
Y, P = [210_000, 240_000, 320_000], [200_000, 250_000, 300_000]


def judged(kind, text, truth=Y, prediction=P):
    gate = Gate.parse(kind, text)
    return gate.judge(offby.measure(truth, prediction, measures=[gate.asked]))


@pytest.mark.parametrize(
    ("kind", "text", "passed"),
    [
        ("fail-if", "mae > 4000", False),  # the whole interval lies above
        ("fail-if", "mae > 5000", True),  # the value does, its interval does not
        ("fail-if", "mae > 50000", True),
        ("fail-if", "mae < 50000", False),
        ("fail-if", "mae.value > 13000", False),
        ("fail-if", "mae.value > 13334", True),
        ("require", "mae < 42000", True),
        ("require", "mae < 41000", False),
        ("require", "mae.value < 13334", True),
        ("require", "mae.value <= 13333", False),
        ("require", "r2 >= 0.68", True),
        ("require", "r2>0.7", False),
        ("require", "bias.value < -6_666", True),
        ("require", "mae < 4.2e4", True),
        ("require", "mae < 42,000", True),
        ("fail-if", "pinball:0.9 > 1e9", True),
        ("require", "pinball:0.9.value > 6e3", True),
        ("require", "huber:1.345.value < 20000", True),
        ("require", "where(r < 0, 5*abs(r), abs(r)).value > 53333", True),
        ("require", "where(r<0,5*abs(r),abs(r)).value>53334", False),
        ("require", "late = where(r<0,5*abs(r),abs(r)).value > 53333", True),
        ("require", "sqrt(Mean(r**2)) < 1e9", True),
    ],
)
def test_conditions(kind, text, passed):
    assert judged(kind, text).passed is passed


@pytest.mark.parametrize(
    "text",
    ["", "mae", "mae >", "> 3", "mae > much", "mae > nan", "mae == 3", "3 < mae"],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(MeasureError, match="cannot be read; write a measure, one of"):
        Gate.parse("require", text)


def test_unknown_measures_are_refused_before_anything_is_measured():
    with pytest.raises(MeasureError, match="did you mean rmse"):
        gates([], ["rmze < 3"])


def test_undefined_fails_a_requirement_and_is_an_error_of_fail_if():
    verdict = judged("require", "r2 > 0", [5, 5], [4, 6])
    assert not verdict.passed
    assert str(verdict) == (
        "failed: --require 'r2 > 0': r2 is undefined (y_true is constant, so its variance is 0)"
    )
    with pytest.raises(MeasureError, match="--fail-if 'r2 < 0' cannot be judged: r2 is undefined"):
        judged("fail-if", "r2 < 0", [5, 5], [4, 6])


@pytest.mark.parametrize(("truth", "prediction"), [([1.0], [5.0]), (Y, P)], ids=["one row", "3"])
def test_without_an_interval_nothing_bad_slips_through(truth, prediction):
    assert not judged("require", "max_error < 1e9", truth, prediction).passed
    assert judged("require", "max_error.value < 1e9", truth, prediction).passed
    assert not judged("fail-if", "max_error > 1", truth, prediction).passed
    assert judged("fail-if", "max_error > 1e9", truth, prediction).passed
    advice = judged("require", "median_absolute_error < 1e9", truth, prediction).words
    assert advice.endswith("ask for the plain value with 'median_absolute_error.value < …'")


def test_values_at_the_edge_and_infinities_are_certain():
    assert judged("require", "r2 > 0.8", Y, Y).passed
    assert judged("require", "mae < 1", Y, Y).passed
    assert judged("fail-if", "mae > 1", Y, Y).passed
    assert not judged("fail-if", "poisson > 5", [1, 2], [0, 2]).passed
    assert not judged("require", "poisson < 5", [1, 2], [0, 2]).passed


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("fail-if", "mae > 4000", "failed: --fail-if 'mae > 4000': mae is 13,333.3, 9,333 above "
         "4,000, interval 4,252 … 41,811"),
        ("require", "mae < 42000", "passed: --require 'mae < 42000': mae is 13,333.3, 28,667 below "
         "42,000, interval 4,252 … 41,811"),
        ("require", "mae < 20000", "failed: --require 'mae < 20000': mae is 13,333.3, 6,667 below "
         "20,000, interval 4,252 … 41,811: not sure to be < 20,000"),
        ("require", "mse.value < 2e8", "failed: --require 'mse.value < 2e8': mse is 200,000,000"),
    ],
)  # fmt: skip
def test_the_text_says_by_how_much(kind, text, said):
    assert str(judged(kind, text)) == said


def test_the_command_exits_with_1_and_names_what_failed(offby_command):
    ran = offby_command("measure", HOUSES, "--fail-if", "mae > 13000", "--require", "r2 > 0.5",
                        "--require", "mae < 13000")  # fmt: skip
    assert ran.code == 1
    verdicts = ran.out.splitlines()[-3:]
    assert [line.split()[0] for line in verdicts] == ["passed:", "passed:", "failed:"]
    assert "--require 'mae < 13000'" in verdicts[2]
    assert ran.err == ""


def test_the_command_exits_with_0_if_all_pass(offby_command):
    assert offby_command("measure", HOUSES, "--require", "mae < 50000").code == 0


def test_gates_may_be_on_measures_that_are_not_asked_for(offby_command):
    ran = offby_command("measure", HOUSES, "--measures", "mae", "--require", "rmse > 1")
    assert ran.code == 0
    assert "\nrmse " in ran.out


def test_gates_may_name_a_measure_that_measures_defines(offby_command):
    ran = offby_command("measure", HOUSES, "--measures", "late = where(r < 0, 5*abs(r), abs(r))",
                        "--fail-if", "late.value > 53333")  # fmt: skip
    assert ran.code == 1
    assert "late is 53,333.3, 0.3333 above 53,333" in ran.out


def test_undefined_gates_of_the_command(offby_command):
    constant = b"y_true,y_pred\n5,4\n5,6\n"
    assert offby_command("measure", "-", "--require", "r2 > 0", stdin=constant).code == 1
    ran = offby_command("measure", "-", "--fail-if", "r2 < 0", stdin=constant)
    assert "r2 is undefined" in ran.error


def test_json_holds_the_gates(offby_command):
    ran = offby_command("measure", HOUSES, "--json", "--require", "mae < 13000", "--fail-if",
                        "r2 < 0")  # fmt: skip
    assert ran.code == 1
    found = json.loads(ran.out)["gates"]
    assert [(gate["gate"], gate["condition"], gate["passed"]) for gate in found] == [
        ("--fail-if", "r2 < 0", True),
        ("--require", "mae < 13000", False),
    ]
    assert ran.err == f"offby: failed: --require 'mae < 13000': {found[1]['text']}\n"
