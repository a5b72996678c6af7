"""The same numbers as scikit-learn and statsmodels, where they define the same thing."""

import mpmath as mp
import numpy as np
import pytest
import statsmodels.api as sm
from passes import measured, value
from sklearn import metrics
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

PEERS = {
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "squared": metrics.mean_squared_error,
    "absolute": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
    "explained_variance": metrics.explained_variance_score,
    "median_absolute_error": metrics.median_absolute_error,
    "mape": metrics.mean_absolute_percentage_error,
    "absolute_percentage": metrics.mean_absolute_percentage_error,
    "msle": metrics.mean_squared_log_error,
    "squared_log": metrics.mean_squared_log_error,
    "rmsle": metrics.root_mean_squared_log_error,
    "poisson": metrics.mean_poisson_deviance,
    "gamma": metrics.mean_gamma_deviance,
    "d2_absolute": metrics.d2_absolute_error_score,
}
for power in (1.2, 1.5, 1.9, 2.5, 3.0):
    PEERS[f"tweedie:{power:g}"] = lambda *a, power=power, **k: metrics.mean_tweedie_deviance(
        *a, power=power, **k
    )
    PEERS[f"d2_tweedie:{power:g}"] = lambda *a, power=power, **k: metrics.d2_tweedie_score(
        *a, power=power, **k
    )
for tau in (0.05, 0.5, 0.9):
    PEERS[f"pinball:{tau:g}"] = lambda *a, tau=tau, **k: metrics.mean_pinball_loss(
        *a, alpha=tau, **k
    )
    PEERS[f"d2_pinball:{tau:g}"] = lambda *a, tau=tau, **k: metrics.d2_pinball_score(
        *a, alpha=tau, **k
    )
PEERS["inverse_gaussian"] = PEERS["tweedie:3"]
PEERS["d2_poisson"] = lambda *a, **k: metrics.d2_tweedie_score(*a, power=1, **k)
PEERS["d2_gamma"] = lambda *a, **k: metrics.d2_tweedie_score(*a, power=2, **k)
UNWEIGHTED = {"max_error": metrics.max_error}


def diabetes():
    features, target = load_diabetes(return_X_y=True)
    return target, np.maximum(LinearRegression().fit(features, target).predict(features), 1.0)


def amounts(seed=0, n=1001, dtype=np.float64):
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(size=n) * 1.5 + 3)
    return (mean * rng.gamma(2, 0.5, n) + 1e-3).astype(dtype), mean.astype(dtype)


def counts():
    rng = np.random.default_rng(3)
    mean = rng.integers(1, 40, 800)
    return rng.poisson(mean) + 1, mean


TABLES = {
    "diabetes": diabetes(),
    "amounts": amounts(),
    "even number of rows": amounts(1, 500),
    "float32": amounts(2, 700, np.float32),
    "integers": counts(),
    "small integers": tuple(column.astype(np.uint8) for column in counts()),
    "tiny": tuple(column * 1e-6 for column in amounts(5)),
    "two rows": (np.array([1.0, 3.0]), np.array([1.5, 2.0])),
}


def weights(n, kind):
    rng = np.random.default_rng(11)
    return {"none": None, "whole": rng.integers(1, 5, n), "real": rng.gamma(2, 1, n)}[kind]


@pytest.mark.parametrize("kind", ["none", "whole", "real"])
@pytest.mark.parametrize("table", TABLES)
def test_scikit_learn(table, kind):
    truth, prediction = TABLES[table]
    weight = weights(truth.size, kind)
    found = measured(list(PEERS), truth, prediction, weight)
    wide = [column.astype(np.float64) for column in (truth, prediction)]
    for name, peer in PEERS.items():
        wanted = peer(*wide, sample_weight=weight)
        assert found[name].value == pytest.approx(wanted, rel=1e-12, abs=1e-13), name
        assert found[name].n == truth.size


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", UNWEIGHTED)
def test_scikit_learn_without_weights(table, name):
    truth, prediction = (column.astype(np.float64) for column in TABLES[table])
    assert value(name, truth, prediction) == UNWEIGHTED[name](truth, prediction)


@pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [1000, 1001])
def test_quantiles_of_the_error_are_numpys(q, n):
    truth, prediction = amounts(6, n)
    wanted = np.quantile(np.abs(prediction - truth), q, method="averaged_inverted_cdf")
    assert value(f"error_quantile:{q}", truth, prediction) == wanted


FAMILIES = {
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(),
    "inverse_gaussian": sm.families.InverseGaussian(),
    "tweedie:1.5": sm.families.Tweedie(var_power=1.5),
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_statsmodels_deviances(name, weighted):
    truth, prediction = TABLES["amounts"]
    weight = weights(truth.size, "real") if weighted else None
    size = np.ones(truth.size) if weight is None else weight
    deviance = FAMILIES[name].deviance(truth, prediction, var_weights=size)
    found = value(name, truth, prediction, weight)
    assert found == pytest.approx(deviance / size.sum(), rel=1e-11)


def test_a_linear_model_of_statsmodels_has_the_same_fit():
    features, target = load_diabetes(return_X_y=True)
    fit = sm.OLS(target, sm.add_constant(features)).fit()
    found = measured("r2,mse", target, fit.fittedvalues)
    assert found["r2"].value == pytest.approx(fit.rsquared, rel=1e-12)
    assert found["mse"].value == pytest.approx(fit.ssr / target.size, rel=1e-12)


FAR = tuple(column + 1e6 for column in amounts(4))


@pytest.mark.parametrize("name", ["mse", "mae", "r2", "explained_variance", "d2_absolute", "msle"])
def test_far_from_zero(name):
    assert value(name, *FAR) == pytest.approx(PEERS[name](*FAR), rel=1e-9)


# Where the peers differ, on purpose: each has a line in the docs.


@pytest.mark.parametrize("name", ["poisson", "gamma"])
def test_deviances_far_from_zero_keep_their_digits(name):
    """y log(y/p) - y + p, as it is written in textbooks and in scikit-learn, cancels."""
    pairs = [(mp.mpf(a), mp.mpf(b)) for a, b in zip(*(c.tolist() for c in FAR), strict=True)]
    with mp.workprec(200):
        exact = {
            "poisson": sum(2 * (a * mp.log(a / b) - a + b) for a, b in pairs),
            "gamma": sum(2 * (a / b - mp.log(a / b) - 1) for a, b in pairs),
        }[name] / len(pairs)
    assert value(name, *FAR) == pytest.approx(float(exact), rel=1e-14)
    assert abs(PEERS[name](*FAR) / float(exact) - 1) > 1e-12


def test_a_zero_target_has_no_percentage_error():
    assert measured("mape", [0.0, 1.0], [1.0, 1.0])["mape"].value in (None, np.inf)
    assert metrics.mean_absolute_percentage_error([0.0, 1.0], [1.0, 1.0]) > 1e14


def test_r2_of_a_constant_is_undefined_and_not_0_or_1():
    found = measured("r2", [2.0, 2.0], [1.0, 2.0])["r2"]
    assert found.value is None
    assert "constant" in found.undefined
    assert metrics.r2_score([2.0, 2.0], [1.0, 2.0]) == 0
