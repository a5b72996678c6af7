"""The confusion matrix: laws, parity with scikit-learn and statsmodels, intervals that cover."""

import math
from functools import cache

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.stats import contingency_tables
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from offby.confusion import (
    Confusion,
    by_name,
    cohen_kappa,
    expected_cost,
    f1,
    fbeta,
    jaccard,
    known_names,
    mcc,
    mcnemar,
    most_confused,
    npv,
    precision,
    recall,
    report_rows,
    specificity,
    wilson,
)
from offby.errors import DataError, MeasureError
from offby.measures.aggregate import Undefined

SHARES = ["precision", "recall", "specificity", "npv", "jaccard", "f1", "fbeta:2"]
AVERAGED = [f"{share}:{average}" for share in SHARES for average in ("macro", "micro", "weighted")]
NAMES = list(dict.fromkeys([*known_names(), *SHARES, *AVERAGED]))


def rows(seed, classes, weighted, n=300):
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(classes, size=n))
    return truth, predicted, rng.exponential(size=n) if weighted else None


def costs_for(classes):
    places = np.arange(classes)
    return 1.5 * np.maximum(places[:, None] - places, 0) + np.maximum(places - places[:, None], 0)


def evaluated(name, table, confidence=0.95):
    return by_name(name, costs_for(len(table.labels))).evaluate(table, confidence)


def counted(cells):
    cells = np.asarray(cells, np.float64)
    return Confusion(cells, cells, tuple("abcdefgh"[: len(cells)]))


# --- parity ------------------------------------------------------------------------------------

SETTINGS = [(seed, classes, weighted) for seed, classes in ((0, 2), (1, 2), (2, 3), (3, 7))
            for weighted in (False, True)]  # fmt: skip


def close(value):
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("seed", "classes", "weighted"), SETTINGS)
def test_the_table_is_scikit_learns(seed, classes, weighted):
    truth, predicted, weight = rows(seed, classes, weighted)
    table = Confusion.of(truth, predicted, sample_weight=weight)
    assert table.weights == close(metrics.confusion_matrix(truth, predicted, sample_weight=weight))
    square = np.ones(truth.size) if weight is None else weight**2
    assert table.squares == close(metrics.confusion_matrix(truth, predicted, sample_weight=square))
    split = metrics.multilabel_confusion_matrix(truth, predicted, sample_weight=weight)
    assert table.outcomes[0] == close(split[:, [1, 0, 1, 0], [1, 1, 0, 0]].T)


@pytest.mark.parametrize(("seed", "classes", "weighted"), SETTINGS)
def test_values_are_scikit_learns(seed, classes, weighted):
    truth, predicted, weight = rows(seed, classes, weighted)
    table = Confusion.of(truth, predicted, sample_weight=weight)
    wanted = {
        "accuracy": metrics.accuracy_score(truth, predicted, sample_weight=weight),
        "balanced_accuracy": metrics.balanced_accuracy_score(
            truth, predicted, sample_weight=weight
        ),
        "mcc": metrics.matthews_corrcoef(truth, predicted, sample_weight=weight),
        "expected_cost": np.average(costs_for(classes)[truth, predicted], weights=weight),
    }
    for weights in (None, "linear", "quadratic"):
        wanted["cohen_kappa" + (f":{weights}" if weights else "")] = metrics.cohen_kappa_score(
            truth, predicted, weights=weights, sample_weight=weight
        )
    for name, value in wanted.items():
        assert evaluated(name, table).value == close(value), name


PEERS = {
    "precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "fbeta:2": lambda *args, **how: metrics.fbeta_score(*args, beta=2, **how),
    "fbeta:0.5": lambda *args, **how: metrics.fbeta_score(*args, beta=0.5, **how),
}  # fmt: skip


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(("seed", "classes", "weighted"), SETTINGS)
def test_shares_are_scikit_learns(name, seed, classes, weighted):
    truth, predicted, weight = rows(seed, classes, weighted)
    table = Confusion.of(truth, predicted, sample_weight=weight)
    for average in ("macro", "micro", "weighted"):
        value = PEERS[name](truth, predicted, average=average, sample_weight=weight)
        assert evaluated(f"{name}:{average}", table).value == close(value)
    each = PEERS[name](truth, predicted, average=None, sample_weight=weight)
    found = [evaluated(f"{name}:{label}", table).value for label in table.labels]
    assert found == close(each.tolist())
    assert evaluated(name, table).value == close(each[1] if classes == 2 else each.mean())


@pytest.mark.parametrize(("seed", "classes", "weighted"), SETTINGS)
def test_negatives_are_the_positives_of_the_rest(seed, classes, weighted):
    truth, predicted, weight = rows(seed, classes, weighted)
    table = Confusion.of(truth, predicted, sample_weight=weight)
    for place in range(classes):
        rest = truth != place, predicted != place
        of_rest = Confusion.of(*rest, sample_weight=weight)
        for share, other in ((specificity, recall), (npv, precision)):
            found, wanted = share(table, place), other(of_rest, 1)
            assert (found.value, found.standard_error, found.low, found.high) == close(
                (wanted.value, wanted.standard_error, wanted.low, wanted.high)
            )
    split = metrics.multilabel_confusion_matrix(truth, predicted, sample_weight=weight)
    tn, fp = split[:, 0, 0], split[:, 0, 1]
    assert specificity(table, "macro").value == close((tn / (tn + fp)).mean())
    assert specificity(table, "micro").value == close(tn.sum() / (tn + fp).sum())
    support = table.support / table.total
    assert specificity(table, "weighted").value == close((tn / (tn + fp)) @ support)


@pytest.mark.parametrize(("seed", "classes", "weighted"), SETTINGS)
def test_the_report_is_scikit_learns(seed, classes, weighted):
    truth, predicted, weight = rows(seed, classes, weighted)
    wanted = metrics.classification_report(truth, predicted, sample_weight=weight, output_dict=True)
    found = report_rows(Confusion.of(truth, predicted, sample_weight=weight))
    assert [row.name for row in found] == [*map(str, range(classes)), "micro", "macro", "weighted"]
    for row in found:
        if row.name == "micro":
            assert row.precision == row.recall == row.f1
            assert row.f1.value == close(wanted["accuracy"])
            continue
        theirs = wanted[f"{row.name} avg" if row.is_average else row.name]
        ours = row.precision.value, row.recall.value, row.f1.value, row.support
        assert ours == close(tuple(theirs.values()))


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 7), (7, 7), (1, 10**6), (999, 1000), (1, 1)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_wilson_is_that_of_statsmodels(hits, n, confidence):
    wanted = proportion_confint(hits, n, 1 - confidence, method="wilson")
    assert tuple(map(float, wilson(hits / n, n, confidence))) == close(wanted)


def test_proportions_have_wilsons_interval():
    table = counted([[50, 7, 3], [4, 30, 6], [0, 5, 20]])
    for name, hits, n in (("accuracy", 100, 125), ("recall:b", 30, 40), ("precision:a", 50, 54),
                          ("specificity:c", 91, 100), ("npv:c", 91, 96), ("jaccard:a", 50, 64),
                          ("f1:micro", 100, 125)):  # fmt: skip
        found = evaluated(name, table)
        wanted = proportion_confint(hits, n, 0.05, method="wilson")
        assert (found.low, found.high) == close(wanted)
        assert found.value == close(hits / n)
        assert found.standard_error == close(math.sqrt(hits / n * (1 - hits / n) / (n - 1)))


def test_f1_is_as_sure_as_jaccard():
    table = counted([[90, 5], [2, 13]])
    found, share = f1(table, 1), jaccard(table, 1)
    for one, other in ((found.value, share.value), (found.low, share.low),
                       (found.high, share.high)):  # fmt: skip
        assert one == close(2 * other / (1 + other))


@pytest.mark.parametrize(("b", "c"), [(0, 0), (5, 5), (12, 3), (3, 12), (0, 9), (400, 341)])
def test_mcnemar_is_that_of_statsmodels(b, c):
    wanted = contingency_tables.mcnemar([[100, b], [c, 50]], exact=True).pvalue if b + c else 1
    found = mcnemar(b, c, 150 + b + c)
    assert found.p_value == pytest.approx(wanted, rel=1e-10)
    mid = wanted - stats.binom.pmf(min(b, c), b + c, 0.5) if b != c else 1.0
    assert found.mid_p == pytest.approx(mid, rel=1e-10)


@pytest.mark.parametrize(("b", "c", "n"), [(12, 3, 100), (0, 1, 44), (40, 60, 120), (5, 0, 5000)])
def test_ends_of_tangos_interval_are_where_the_score_test_turns(b, c, n):
    """The score statistic from its definition: the likelihood maximised given the difference."""

    def score(difference):
        def unlikely(q):  # q: the share that only the second gets right
            cells = np.array([q + difference, q, 1 - 2 * q - difference])
            return -np.sum(special_xlogy(np.array([b, c, n - b - c]), cells))

        ends = max(0.0, -difference), (1 - difference) / 2
        q = optimize.minimize_scalar(unlikely, bounds=ends, method="bounded",
                                     options={"xatol": 1e-12}).x  # fmt: skip
        spread = (2 * q + difference - difference**2) / n
        return ((b - c) / n - difference) / math.sqrt(spread)

    found, z = mcnemar(b, c, n), stats.norm.ppf(0.975)
    assert score(found.low) == pytest.approx(z, rel=1e-4)
    assert score(found.high) == pytest.approx(-z, rel=1e-4)
    assert found.low < found.difference == (b - c) / n < found.high


def special_xlogy(counts, shares):
    with np.errstate(divide="ignore"):
        return np.where(counts > 0, counts * np.log(np.maximum(shares, 0)), 0.0)


def test_swapping_two_classifiers_flips_the_difference():
    one, other = mcnemar(14, 6, 90), mcnemar(6, 14, 90)
    assert (other.difference, other.low, other.high) == (-one.difference, -one.high, -one.low)
    assert (other.p_value, other.mid_p) == (one.p_value, one.mid_p)


# --- standard errors ---------------------------------------------------------------------------

TABLES = {
    2: [[650, 100], [60, 190]],
    4: [[300, 20, 10, 5], [30, 200, 15, 10], [5, 20, 150, 30], [4, 6, 35, 160]],
}


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@pytest.mark.parametrize("classes", TABLES)
def test_kappas_standard_error_is_that_of_fleiss_cohen_and_everitt(weights, classes):
    table = counted(TABLES[classes])
    wanted = cohens_kappa(table.weights, wt=weights)
    found = cohen_kappa(table, weights)
    n = table.total
    assert found.value == close(wanted.kappa)
    assert found.standard_error == close(math.sqrt(wanted.var_kappa * n / (n - 1)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", TABLES)
def test_standard_errors_follow_from_the_values_alone(name, classes):
    """A row's influence is the derivative of the value towards its weight, here by differences."""
    rng = np.random.default_rng(5)
    cells = np.array(TABLES[classes]) * 1000.0
    squares = cells * rng.uniform(1, 3, cells.shape)

    def value(place, step):
        moved = cells.copy()
        moved.flat[place] += step
        return evaluated(name, Confusion(moved, squares, tuple("abcd"[:classes]))).value

    slopes = [(value(at, step) - value(at, -step)) / (2 * step)
              for at, step in enumerate(cells.ravel() * 1e-4)]  # fmt: skip
    wanted = math.sqrt(squares.ravel() @ np.square(slopes))
    found = evaluated(name, Confusion(cells, squares, tuple("abcd"[:classes])))
    assert found.standard_error == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("name", ["mcc", "f1:macro", "cohen_kappa:quadratic", "fbeta:2:weighted",
                                  "balanced_accuracy", "expected_cost"])  # fmt: skip
def test_standard_errors_are_those_of_the_bootstrap(name):
    cells = np.array(TABLES[4]) // 2
    n = cells.sum()
    draws = np.random.default_rng(11).multinomial(n, cells.ravel() / n, size=1500)
    values = [evaluated(name, counted(draw.reshape(4, 4))).value for draw in draws]
    assert evaluated(name, counted(cells)).standard_error == pytest.approx(np.std(values), rel=0.07)


def test_what_the_denominator_leaves_out_changes_nothing():
    few, many = (fbeta(2)(counted([[tn, 9], [4, 30]]), 1) for tn in (0, 10**6))
    assert few == many


# --- coverage ----------------------------------------------------------------------------------

REPLICATES = 2000
CHANCE = 3 * math.sqrt(0.95 * 0.05 / REPLICATES)
TRUTHS = {
    "balanced": [[0.40, 0.10], [0.15, 0.35]],
    "rare": [[0.80, 0.08], [0.03, 0.09]],
    "three": [[0.30, 0.05, 0.02], [0.06, 0.20, 0.05], [0.02, 0.05, 0.25]],
}


@cache
def drawn(kind, n):
    shares = np.array(TRUTHS[kind])
    draws = np.random.default_rng(3).multinomial(n, shares.ravel(), size=REPLICATES)
    return [counted(draw.reshape(shares.shape)) for draw in draws]


def coverage(name, kind, n):
    truth = evaluated(name, counted(np.array(TRUTHS[kind]) * 1e6)).value
    found = [evaluated(name, table) for table in drawn(kind, n)]
    return np.mean([one.low is not None and one.low <= truth <= one.high for one in found])


COVERED = ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "f1:macro", "fbeta:2",
           "mcc", "cohen_kappa", "cohen_kappa:quadratic", "expected_cost",
           "precision:weighted"]  # fmt: skip


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize(("kind", "n"), [("balanced", 60), ("rare", 200), ("three", 100)])
def test_intervals_cover(name, kind, n):
    assert 0.935 - CHANCE <= coverage(name, kind, n) <= 0.965 + CHANCE


def test_tangos_interval_covers():
    draws = np.random.default_rng(4).multinomial(80, [0.12, 0.05, 0.83], size=REPLICATES)
    found = [mcnemar(int(b), int(c), 80) for b, c, _ in draws]
    share = np.mean([one.low <= 0.07 <= one.high for one in found])
    assert 0.935 - CHANCE <= share <= 0.965 + CHANCE


def test_more_confidence_is_a_wider_interval():
    table = counted(TABLES[4])
    for name in NAMES:
        wide, narrow = (evaluated(name, table, confidence) for confidence in (0.99, 0.8))
        assert wide.low < narrow.low < wide.value < narrow.high < wide.high, name


# --- laws of weights ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 4])
def test_scaling_all_weights_changes_nothing(name, classes):
    truth, predicted, weight = rows(8, classes, True)
    one, other = (
        evaluated(name, Confusion.of(truth, predicted, sample_weight=weight * scale))
        for scale in (1, 1e-7)
    )
    assert (one.value, one.standard_error, one.low, one.high) == pytest.approx(
        (other.value, other.standard_error, other.low, other.high), rel=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_of_2_is_two_copies_and_a_weight_of_0_is_no_row(name):
    truth, predicted, _ = rows(9, 3, False)
    weight = np.random.default_rng(9).integers(0, 4, size=truth.size)
    copies = Confusion.of(np.repeat(truth, weight), np.repeat(predicted, weight))
    table = Confusion.of(truth, predicted, sample_weight=weight)
    assert evaluated(name, table).value == evaluated(name, copies).value


def test_a_row_of_weight_0_brings_no_class():
    assert Confusion.of(["a", "b", "c"], ["b", "a", "a"], sample_weight=[1, 1, 0]).labels == (
        "a", "b",
    )  # fmt: skip


def test_equal_weights_are_as_sure_as_counts():
    truth, predicted, _ = rows(6, 3, False)
    for name in NAMES:
        plain, weighted = (
            evaluated(name, Confusion.of(truth, predicted, sample_weight=weight))
            for weight in (None, np.full(truth.size, 4.0))
        )
        assert weighted.standard_error == close(plain.standard_error)
    assert Confusion.of([0, 1, 1], [0, 0, 1], sample_weight=[2, 1, 1]).effective_n == 16 / 6


# --- edges -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("precision", [[5, 0], [3, 0]], "no row was predicted as 'b'"),
        ("recall", [[5, 1], [0, 0]], "no row is 'b'"),
        ("recall:b", [[5, 1, 0], [0, 0, 0], [0, 0, 1]], "no row is 'b'"),
        ("specificity", [[0, 0], [3, 2]], "every row is 'b'"),
        ("npv", [[0, 5], [0, 2]], "every row was predicted as 'b'"),
        ("f1", [[5, 0], [0, 0]], "no row is 'b', nor was predicted as 'b'"),
        ("precision:macro", [[5, 0, 0], [1, 0, 0], [1, 0, 0]], "no row was predicted as 'b', 'c'"),
        ("precision:weighted", [[5, 0], [3, 0]], "no row was predicted as 'b'"),
        ("recall:macro", [[5, 1], [0, 0]], "no row is 'b'"),
        ("balanced_accuracy", [[5, 1], [0, 0]], "no row is 'b'"),
        ("mcc", [[5, 1], [0, 0]], "every row is 'a'"),
        ("mcc", [[0, 5], [0, 1]], "every row was predicted as 'b'"),
        ("cohen_kappa", [[5, 0], [0, 0]], "every row is 'a', and so predicted"),
        ("cohen_kappa:quadratic", [[9]], "every row is 'a', and so predicted"),
        ("mcc", [[9]], "every row is 'a'"),
        ("specificity", [[9]], "every row is 'a'"),
        ("specificity:micro", [[9]], "every row is 'a'"),
    ],
)
def test_undefined_says_why(name, cells, reason):
    with pytest.raises(Undefined) as found:
        evaluated(name, counted(cells))
    assert str(found.value).startswith(reason)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", [
    Confusion.of([], []), Confusion.of([1, 0], [0, 0], sample_weight=[0, 0]),
    counted(np.zeros((2, 2))), counted(np.zeros((3, 3))),
])  # fmt: skip
def test_no_rows_is_undefined(name, table):
    with pytest.raises(Undefined, match="there are no rows"):
        evaluated(name, table)


def test_a_class_without_rows_takes_no_part_in_a_mean_by_support():
    table = counted([[5, 1, 0], [2, 6, 0], [0, 0, 0]])
    assert recall(table, "weighted").value == close(11 / 14)
    assert recall(table, "weighted").standard_error == close(evaluated("accuracy", table)
                                                             .standard_error)  # fmt: skip


def test_at_its_edge_a_share_keeps_wilsons_interval_and_has_no_standard_error():
    table = counted([[20, 0], [0, 5]])
    for name in ("accuracy", "recall", "f1", "jaccard", "balanced_accuracy", "f1:micro"):
        found = evaluated(name, table)
        assert (found.value, found.standard_error, found.high) == (1.0, None, 1.0)
        assert 0.4 < found.low < 1
    for name, value in (("mcc", 1), ("cohen_kappa", 1), ("f1:macro", 1), ("fbeta:2", 1),
                        ("f1:weighted", 1), ("expected_cost", 0)):  # fmt: skip
        found = evaluated(name, table)
        assert (found.value, found.standard_error, found.low, found.high) == (value, *[None] * 3)
        assert found.unsure == f"the value stands at the edge of its range, {value}"


def test_all_wrong_is_minus_one():
    for cells in ([[0, 3], [7, 0]], [[0, 5], [5, 0]]):
        assert mcc(counted(cells)).value == close(-1)
        assert mcc(counted(cells)).standard_error is None
    assert cohen_kappa(counted([[0, 5], [5, 0]])).low is None


def test_a_constant_prediction():
    table = counted([[20, 0], [5, 0]])
    assert cohen_kappa(table).value == 0.0
    assert cohen_kappa(table).unsure.startswith("every row was predicted as 'a'")
    found = evaluated("balanced_accuracy", table)
    assert (found.value, found.standard_error) == (0.5, None)
    assert found.low < 0.45 < 0.65 < found.high


def test_one_row():
    table = counted([[0, 1], [0, 0]])
    found = evaluated("accuracy", table)
    assert (found.value, found.standard_error, found.low) == (0.0, None, 0.0)
    assert found.high == close(proportion_confint(0, 1, method="wilson")[1])
    assert expected_cost(table, (3, 1)).unsure == "one row: no interval"


def test_rows_that_cost_the_same_have_no_interval():
    for cells, costs in (([[0, 4], [0, 0]], (3, 1)), ([[1, 2], [6, 1]], np.full((2, 2), 0.3))):
        found = expected_cost(counted(cells), costs)
        assert (found.low, found.unsure) == (None, "its rows do not vary: no interval")


@pytest.mark.parametrize("classes", [2, 3, 7, 49])
def test_a_mean_of_ones_is_one(classes):
    cells = np.diag(np.linspace(0.1, 9.7, classes))
    table = Confusion(cells, cells, tuple(map(str, range(classes))))
    for name in AVERAGED:
        assert evaluated(name, table).value == 1.0
        assert evaluated(name, table).high in (1.0, None)


def test_profits_may_be_negative():
    found = expected_cost(counted([[50, 10], [5, 35]]), [[0, 2], [3, -4]])
    assert found.value == close((20 + 15 - 140) / 100)
    assert found.low < found.value < found.high
    assert found.high - found.value == close(found.value - found.low)


def test_a_rare_class_keeps_its_digits():
    """Sums of agreements would leave 8 digits of these."""
    rare = counted([[10**15, 3], [4, 6]])
    assert cohen_kappa(rare).value == pytest.approx(12 / 19, rel=1e-14)
    assert mcc(rare).value == pytest.approx(6 / math.sqrt(90), rel=1e-14)


def test_two_hundred_classes():
    truth, predicted, weight = rows(12, 200, True, n=50_000)
    table = Confusion.of(truth, predicted, sample_weight=weight)
    wanted = metrics.matthews_corrcoef(truth, predicted, sample_weight=weight)
    assert mcc(table).value == close(wanted)
    assert len(report_rows(table)) == 203
    assert table.named(range(200)) == "'0', '1', '2', '3', '4' and 195 more"


# --- classes, names and costs ------------------------------------------------------------------


def test_the_most_confused_pairs():
    found = most_confused(counted([[9, 4, 0], [1, 9, 0], [3, 2, 9]]), most=3)
    assert [(pair.true, pair.predicted, pair.weight, pair.share) for pair in found] == [
        ("a", "b", 4, 0.4), ("c", "a", 3, 0.3), ("c", "b", 2, 0.2),
    ]  # fmt: skip
    assert most_confused(counted([[9, 0], [0, 1]])) == []
    assert most_confused(Confusion.of([], [])) == []


def test_the_report_says_what_is_undefined():
    first, second, *_ = report_rows(counted([[5, 0], [3, 0]]))
    assert first.recall.value == 1
    assert isinstance(second.precision, Undefined)
    assert second.f1.value == 0


def test_labels_are_in_the_order_given():
    table = Confusion.of(["x", "y", "y"], ["y", "y", "y"], labels=["y", "z", "x"])
    assert table.labels == ("y", "z", "x")
    assert table.weights.tolist() == [[2, 0, 0], [0, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("labels", [
    [True, False], np.array([1.0, 0.0]), np.array([[1], [0]]), np.array([1, 0], object), ["1", "0"],
    np.array(["1", "0"], object),
])  # fmt: skip
def test_labels_of_many_kinds(labels):
    table = Confusion.of(labels, labels)
    assert table.labels in (("0", "1"), ("False", "True"))
    assert table.weights.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0], [1]), "y_true has 2 rows, y_pred 1"),
        (([1, 0], [1, 0], None, [1]), "sample_weight 1"),
        (([1, 0], [1, 0], None, [1, -1]), "-1.0 in row 2"),
        (([1, 0], [1, 0], None, [math.nan, 1]), "nan in row 1"),
        (([1, math.nan], [1, 0]), "y_true has no label in row 2"),
        (([1, None], [1, 0]), "y_true has no label in row 2"),
        ((["a", None], ["a", "a"]), "has None among text, in row 2"),
        ((["1", "0"], [1, 0]), "same kind of label"),
        (([1, 0], [1, 0], ["0", "1"]), "same kind of label"),
        (([1, 0], [1, 2], [0, 1]), "y_pred has the label 2"),
        (([1, 0], [1, 0], []), "labels is empty"),
        (([1, 0], [1, 0], [0, 1, 1]), "not all different"),
        (([[1, 0]], [[1, 0]]), r"shape \(1, 2\)"),
        (([1j], [1]), "text or numbers"),
    ],
)
def test_columns_that_are_no_labels(arguments, message):
    with pytest.raises(DataError, match=message):
        Confusion.of(*arguments)


def test_tables_that_are_none():
    cells = np.ones((2, 2))
    with pytest.raises(DataError, match="3 labels"):
        Confusion(cells, cells, ("a", "b", "c"))
    for bad in (-1, math.inf, math.nan):
        with pytest.raises(DataError, match="negative or non-finite"):
            Confusion(cells, cells * bad, ("a", "b"))


@pytest.mark.parametrize("name", NAMES)
def test_values_lie_in_their_range(name):
    measure = by_name(name, costs=(1, 2))
    assert measure.name == name
    assert measure.better == ("lower" if name == "expected_cost" else "higher")
    found = measure.evaluate(counted(TABLES[2]), 0.95)
    assert measure.range[0] < found.low < found.value < found.high < measure.range[1]


def test_plain_names_are_of_the_second_of_two_classes_and_the_mean_of_more():
    two, four = (counted(TABLES[classes]) for classes in (2, 4))
    for name in SHARES:
        assert evaluated(name, two) == evaluated(f"{name}:b", two)
        assert evaluated(name, four) == evaluated(f"{name}:macro", four)


def test_labels_may_hold_colons():
    table = Confusion.of(["a:b", "c"], ["a:b", "a:b"])
    assert evaluated("recall:a:b", table).value == 1
    assert evaluated("fbeta:2:a:b", table).value == close(5 / 6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("f1:", "no class after the colon"), ("fbeta", "needs a number"),
        ("fbeta:0", "above 0"), ("fbeta:inf", "above 0"), ("accuracy:macro", "nothing after"),
        ("cohen_kappa:cubic", ":quadratic"), ("expected_cost", "needs costs"),
        ("recall:cat", "'cat' is neither an average"),
    ],
)  # fmt: skip
def test_names_not_understood(name, message):
    with pytest.raises(MeasureError, match=message):
        by_name(name).evaluate(counted(TABLES[2]), 0.95)


def test_names_of_other_things():
    assert [by_name(name) for name in ("rmse", "auc", "", "huber:1.5")] == [None] * 4


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ((1, 2, 3), "or two numbers"),
        ([[0, 1]], "expected a table"),
        ((1, math.nan), "finite"),
        ([[1], [1, 2]], "numbers"),
        ("ab", "numbers"),
    ],
)
def test_costs_that_are_none(costs, message):
    with pytest.raises(MeasureError, match=message):
        by_name("expected_cost", costs).evaluate(counted(TABLES[2]), 0.95)


def test_classes_and_counts_that_are_none():
    for place in (-1, 2):
        with pytest.raises(MeasureError, match="there are 2"):
            precision(counted(TABLES[2]), place)
    for b, c, n in ((-1, 2, 5), (3, 3, 5), (0.5, 1, 5)):
        with pytest.raises(MeasureError, match="no counts"):
            mcnemar(b, c, n)
    with pytest.raises(Undefined, match="no rows"):
        mcnemar(0, 0, 0)
