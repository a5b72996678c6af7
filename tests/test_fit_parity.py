"""The same numbers as statsmodels and scikit-learn where they define the same thing."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import ElasticNet, HuberRegressor, LogisticRegression, PoissonRegressor

from offby.fit.classifier import LinearClassifier
from offby.fit.regressor import LinearRegressor

SAME = 1e-6


@pytest.fixture(scope="module")
def stack_loss():
    data = sm.datasets.stackloss.load()
    return np.asarray(data.exog, float), np.asarray(data.endog, float)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 3))
    return X, X @ [0.5, -0.3, 0.2] + 0.4, rng


def all_of(model):
    return np.append(model.intercept_, model.coef_)


def errors_of(model):
    return np.append(model.intercept_standard_error_, model.standard_errors_)


def test_least_squares_with_each_kind_of_standard_errors(stack_loss):
    X, y = stack_loss
    ours = {kind: LinearRegressor(standard_errors=kind).fit(X, y) for kind in ("HC0", "HC1")}
    peer = sm.OLS(y, sm.add_constant(X)).fit()
    np.testing.assert_allclose(all_of(ours["HC1"]), peer.params, rtol=SAME)
    np.testing.assert_allclose(errors_of(ours["HC1"]), peer.HC1_se, rtol=SAME)
    np.testing.assert_allclose(errors_of(ours["HC0"]), peer.HC0_se, rtol=SAME)
    classical = LinearRegressor(standard_errors="classical").fit(X, y)
    np.testing.assert_allclose(errors_of(classical), peer.bse, rtol=SAME)
    np.testing.assert_allclose(classical.intervals_, peer.conf_int()[1:], rtol=SAME)
    np.testing.assert_allclose(classical.covariance_[-1, -1], peer.cov_params()[0, 0], rtol=SAME)


@pytest.mark.parametrize(
    ("loss", "norm"),
    [
        ("huber:1.345", sm.robust.norms.HuberT(1.345)),
        ("tukey:4.685", sm.robust.norms.TukeyBiweight(4.685)),
    ],
)
def test_robust_regression_with_a_scale_of_its_own(stack_loss, loss, norm):
    X, y = stack_loss
    peer = sm.RLM(y, sm.add_constant(X), M=norm).fit(maxiter=1000, tol=1e-13)
    model = LinearRegressor(loss, scale="mad").fit(X, y)
    np.testing.assert_allclose(all_of(model), peer.params, rtol=1e-4)
    np.testing.assert_allclose(model.scale_, peer.scale, rtol=1e-5)


def test_huber_at_the_scale_that_statsmodels_found(stack_loss):
    X, y = stack_loss
    peer = sm.RLM(y, sm.add_constant(X), M=sm.robust.norms.HuberT()).fit(maxiter=1000, tol=1e-14)
    model = LinearRegressor(f"huber:{1.345 * float(peer.scale)!r}").fit(X, y)
    np.testing.assert_allclose(all_of(model), peer.params, rtol=SAME)


def test_huber_at_the_scale_that_scikit_learn_found(drawn):
    X, score, rng = drawn
    y = score + rng.standard_t(3, 500)
    peer = HuberRegressor(epsilon=1.5, alpha=0, max_iter=10_000, tol=1e-10).fit(X, y)
    model = LinearRegressor(f"huber:{1.5 * float(peer.scale_)!r}").fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-4)
    joint = LinearRegressor("huber:1.5", scale="joint").fit(X, y)
    assert joint.converged_
    np.testing.assert_allclose(joint.coef_, peer.coef_, rtol=1e-4)
    np.testing.assert_allclose(joint.scale_, peer.scale_, rtol=1e-4)


FAMILIES = {
    "poisson": (sm.families.Poisson(), lambda rng, mean: rng.poisson(mean)),
    "gamma": (
        sm.families.Gamma(sm.families.links.Log()),
        lambda rng, mean: rng.gamma(2.0, mean / 2),
    ),
    "inverse_gaussian": (
        sm.families.InverseGaussian(sm.families.links.Log()),
        lambda rng, mean: rng.wald(mean, 2.0),
    ),
    "tweedie:1.5": (
        sm.families.Tweedie(sm.families.links.Log(), var_power=1.5),
        lambda rng, mean: rng.poisson(mean) * rng.gamma(2.0, 0.5, mean.shape),
    ),
}


@pytest.mark.parametrize("loss", FAMILIES)
def test_generalised_linear_models(drawn, loss):
    X, score, rng = drawn
    family, draw = FAMILIES[loss]
    y = draw(rng, np.exp(score)).astype(float)
    peer = sm.GLM(y, sm.add_constant(X), family=family).fit(tol=1e-14, maxiter=200)
    model = LinearRegressor(loss, standard_errors="HC0").fit(X, y)
    np.testing.assert_allclose(all_of(model), peer.params, rtol=SAME)
    np.testing.assert_allclose(model.predict(X), peer.fittedvalues, rtol=SAME)
    if loss == "poisson":  # the link of the others is not canonical; there theirs is not observed
        robust = sm.GLM(y, sm.add_constant(X), family=family).fit(tol=1e-14, cov_type="HC0")
        np.testing.assert_allclose(errors_of(model), robust.bse, rtol=SAME)


def test_logistic_regression(drawn):
    X, score, rng = drawn
    y = (rng.random(500) < 1 / (1 + np.exp(-score))).astype(int)
    peer = sm.Logit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14, cov_type="HC0")
    model = LinearClassifier(standard_errors="HC0").fit(X, y)
    np.testing.assert_allclose(all_of(model), peer.params, rtol=SAME)
    np.testing.assert_allclose(np.ravel(model.standard_errors_), peer.bse[1:], rtol=SAME)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], peer.predict(), rtol=SAME)


def engel():
    data = sm.datasets.engel.load().data
    return data[["income"]].to_numpy(), data["foodexp"].to_numpy()


@pytest.mark.filterwarnings("ignore:Convergence cycle")
@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_quantile_regression(tau):
    X, y = engel()
    peer = sm.QuantReg(y, sm.add_constant(X)).fit(
        tau, vcov="iid", kernel="gau", max_iter=20_000, p_tol=1e-12
    )
    model = LinearRegressor(f"pinball:{tau}", standard_errors="classical").fit(X, y)
    np.testing.assert_allclose(all_of(model), peer.params, rtol=1e-4)  # theirs is iterative
    assert model.objective_ <= model.loss_.mean(y, peer.predict()) + model.gap_
    # theirs takes tau (1 - tau) for the mean square of the slopes, ours their own and n - p
    np.testing.assert_allclose(errors_of(model), peer.bse, rtol=0.05)


def test_quantiles_of_engels_food_are_those_that_r_publishes():
    """R, quantreg: rq(foodexp ~ income, tau = .5, data = engel), from its vignette."""
    X, y = engel()
    model = LinearRegressor("absolute").fit(X, y)
    assert model.intercept_ == pytest.approx(81.4822474, abs=5e-7)
    assert model.coef_[0] == pytest.approx(0.5601806, abs=5e-8)


def test_elastic_net(drawn):
    X, score, rng = drawn
    y = score + rng.normal(size=500)
    peer = ElasticNet(alpha=0.05, l1_ratio=0.7, tol=1e-12, max_iter=100_000).fit(X, y)
    # theirs is half the squared error
    model = LinearRegressor(penalty="elasticnet", alpha=0.1, l1_ratio=0.7).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-6)
    assert model.standard_errors_ is None


def test_penalised_poisson_and_logistic(drawn):
    X, score, rng = drawn
    y = rng.poisson(np.exp(score)).astype(float)
    peer = PoissonRegressor(alpha=0.1, tol=1e-12, solver="newton-cholesky").fit(X, y)
    model = LinearRegressor("poisson", penalty="l2", alpha=0.2).fit(X, y)  # theirs is half of ours
    np.testing.assert_allclose(all_of(model), all_of(peer), rtol=SAME)
    labels = y > 1
    peer = LogisticRegression(C=1.0, tol=1e-12, solver="newton-cholesky").fit(X, labels)
    model = LinearClassifier(penalty="l2", alpha=1 / 500).fit(X, labels)  # theirs is a sum
    np.testing.assert_allclose(all_of(model), all_of(peer), rtol=SAME)


def test_sparse_logistic_regression(drawn):
    X, score, rng = drawn
    labels = rng.random(500) < 1 / (1 + np.exp(-score))
    wide = np.hstack([X, rng.normal(size=(500, 5))])
    peer = LogisticRegression(C=0.05, l1_ratio=1.0, solver="saga", tol=1e-9, max_iter=100_000)
    peer.fit(wide, labels)
    model = LinearClassifier(penalty="l1", alpha=1 / (0.05 * 500)).fit(wide, labels)
    assert np.array_equal(model.coef_ == 0, peer.coef_ == 0)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-3, atol=1e-6)


def test_class_weights(drawn):
    X, score, _ = drawn
    labels = np.where(score > 0.9, "rare", "common")
    peer = LogisticRegression(C=1.0, tol=1e-12, class_weight="balanced").fit(X, labels)
    model = LinearClassifier(class_weight="balanced", penalty="l2", alpha=1 / 500).fit(X, labels)
    np.testing.assert_allclose(all_of(model), all_of(peer), rtol=1e-3)


def test_a_cost_is_a_class_weight_that_does_not_divide(drawn):
    X, score, _ = drawn
    labels = np.where(score > 0.9, "rare", "common")
    costs = LinearClassifier("cost_logistic:1:4", penalty="l2", alpha=0.02).fit(X, labels)
    share = 500 / np.where(labels == "rare", 4, 1).sum()
    weights = LinearClassifier(class_weight={"rare": 4}, penalty="l2", alpha=0.02 * share)
    np.testing.assert_allclose(weights.fit(X, labels).coef_, costs.coef_, rtol=SAME)
