"""`choose`: noise, efficiency and variance against peers; known answers; the ways to show them."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from scipy import integrate, stats

from offby.choice import Study, amounts, growth, noise, tweedie
from offby.choice.growth import Line
from offby.choice.heldout import halves, likeliest, likenesses, paired
from offby.choice.judge import judge
from offby.choice.ordered import DELTAS, Ordered
from offby.choice.resampled import Bootstrap
from offby.errors import DataError, MeasureError, OffbyError, TableError
from offby.losses import Absolute, Gamma, Huber, Pinball, Poisson, Squared, Tweedie
from offby.verbs.choose import choose


def rows(make, n=1000, seed=0):
    """Truths and predictions, whose noise `make` draws."""
    random = np.random.default_rng(seed)
    p = random.uniform(1, 20, n)
    return make(random, p), p


def gross(random, p):
    return p + random.normal(size=p.size) * np.where(random.random(p.size) < 0.05, 10, 1)


def gaussian(random, p):
    return p + random.normal(size=p.size)


def heavy(random, p):
    return p + random.standard_t(3, p.size)


def skewed(random, p):
    return p + random.exponential(2, p.size) - 2


def counts(random, p):
    return random.poisson(p).astype(float)


def studied(make, asked="mse", n=1000, seed=0):
    y, p = rows(make, n, seed)
    return Study(judge(asked), y, p)


# --- noise -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", noise.KINDS, ids=lambda kind: kind.name)
def test_densities_integrate_to_one(kind):
    found = noise.fitted(kind, np.random.default_rng(0).standard_t(4, 300) * 3 + 5)
    whole = integrate.quad(lambda x: math.exp(found.log_density(np.array([x]))[0]), -np.inf, np.inf,
                           points=None, limit=300)[0]  # fmt: skip
    assert whole == pytest.approx(1.0, abs=2e-3)


PEERS = {
    "Gaussian": stats.norm,
    "Laplace": stats.laplace,
    "log-cosh (hyperbolic secant)": stats.hypsecant,
    "Student t": stats.t,
    "asymmetric Laplace": stats.laplace_asymmetric,
}


@pytest.mark.parametrize("kind", [k for k in noise.KINDS if k.name in PEERS], ids=lambda k: k.name)
def test_the_likeliest_noise_is_as_likely_as_scipys(kind):
    errors = np.random.default_rng(1).standard_t(4, 800) * 3 + 5
    peer = PEERS[kind.name]
    best = float(np.mean(peer.logpdf(errors, *peer.fit(errors))))
    assert np.mean(noise.fitted(kind, errors).log_density(errors)) >= best - 1e-4


def test_cauchys_noise_is_scipys_student_t():
    errors = np.random.default_rng(1).standard_t(4, 800) * 3 + 5
    found = noise.fitted(next(k for k in noise.KINDS if k.name == "Student t"), errors)
    cut = found.loss.parameters["c"]
    freedom = cut**2 - 1
    peer = stats.t(freedom, found.centre, found.scale * cut / math.sqrt(freedom))
    assert found.log_density(errors) == pytest.approx(peer.logpdf(errors), abs=1e-9)
    assert 2.5 < freedom < 6


def test_counts_and_amounts_have_scipys_likelihoods():
    y, mean = np.array([0.0, 1.0, 7.0]), np.array([0.5, 2.0, 5.0])
    k = 2.5
    assert amounts.poisson(y, mean) == pytest.approx(stats.poisson.logpmf(y, mean))
    found = amounts.negative_binomial(y, mean, k)
    assert found == pytest.approx(stats.nbinom.logpmf(y, k, k / (k + mean)))
    y = y + 0.5
    assert amounts.gamma(y, mean, k) == pytest.approx(stats.gamma.logpdf(y, k, scale=mean / k))


@pytest.mark.parametrize(
    ("y", "p", "expected"),
    [
        ([0, 3, 1], [0.5, 2, 1], "counts"),
        ([0.5, 3, 1], [0.5, 2, 1], "positive"),
        ([0.0, 3.5, 1], [0.5, 2, 1], "zeros"),
        ([0, 3, 1], [0.0, 2, 1], "real"),
        ([-1, 3, 1], [0.5, 2, 1], "real"),
        ([200_000, 310_000], [210_000, 300_000], "positive"),
    ],
)
def test_what_truths_are(y, p, expected):
    assert amounts.target(np.array(y, float), np.array(p, float)) == expected


NOISES = {
    "Gaussian": gaussian,
    "Laplace": lambda g, p: p + g.laplace(size=p.size),
    "Student t": lambda g, p: p + g.standard_t(3, p.size),
    "asymmetric Laplace": lambda g, p: p + g.exponential(3, p.size) - g.exponential(1, p.size),
    "Poisson": counts,
    "negative binomial": lambda g, p: g.negative_binomial(3, 3 / (3 + p)).astype(float),
    "gamma": lambda g, p: g.gamma(2, p / 2),
}


@pytest.mark.parametrize("name", NOISES)
def test_noise_is_told_by_what_it_is(name):
    study = studied(NOISES[name], n=4000)
    assert study.noise.name == name


def test_the_interval_of_the_runner_up_is_the_paired_t_interval():
    d = np.random.default_rng(0).normal(0.3, 1, 50)
    found = paired(d, 0.95)
    expected = stats.t.interval(0.95, 49, d.mean(), stats.sem(d))
    assert (found.low, found.high) == pytest.approx(expected)


def test_halves_are_halves_and_do_not_go_with_the_order():
    first = halves(10_000)
    assert abs(first.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.05


def test_no_density_is_claimed_of_errors_that_repeat():
    y = np.random.default_rng(0).integers(-1, 1, 500).astype(float)
    assert likenesses(y, np.zeros(500), "real", 0.95) == ()
    assert likeliest(()) is None


# --- efficiency --------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.5, 1.345, 4.0])
def test_hubers_centre_and_variance_are_those_of_the_loss(delta):
    x = np.random.default_rng(2).standard_t(2, 2001)
    loss, found = Huber(delta), Ordered(x)
    centre = loss.best_constant(x)
    assert found.centre(loss) == pytest.approx(centre, abs=1e-6)
    psi, slope = loss.gradient(x, centre), loss.hessian(x, centre)
    assert found.variance(loss) == pytest.approx(np.mean(psi**2) / np.mean(slope) ** 2, rel=1e-6)


def test_hubers_centre_is_not_moved_by_errors_of_any_size():
    x = np.random.default_rng(2).normal(size=500)
    far = np.concatenate([x, [1e200, 1e200, -1e200, 1e15]])
    centre = Ordered(far).centre(Huber(1.0))
    assert centre == pytest.approx(Huber(1.0).best_constant(np.clip(far, -60, 60)), abs=1e-6)


def test_the_mean_and_quantiles_are_the_losses_own():
    x = np.random.default_rng(3).exponential(size=1001)
    found = Ordered(x)
    for loss in (Squared(), Absolute(), Pinball(0.9)):
        assert found.centre(loss) == pytest.approx(loss.best_constant(x), abs=1e-9)


def test_the_density_at_quantiles_is_near_the_true_one():
    x = np.random.default_rng(4).normal(size=50_000)
    for tau in (0.5, 0.9):
        true = stats.norm.pdf(stats.norm.ppf(tau))
        assert Ordered(x).density(tau) == pytest.approx(true, rel=0.05)


def bootstrap(make, n=4000, seed=5):
    errors = make(np.random.default_rng(seed), np.zeros(n))
    return Bootstrap(errors, halves(n), 0.0, 0.99)


KNOWN = {  # 1 - variance of one / variance of the other (Huber & Ronchetti 2009)
    "Gaussian: mean for median": (gaussian, Squared(), Absolute(), 1 - 2 / math.pi),
    "Laplace: median for mean": (lambda g, p: g.laplace(size=p.size), Absolute(), Squared(), 0.5),
    "Gaussian: Huber 1.345 for mean": (gaussian, Huber(1.345), Squared(), 1 - 1 / 0.95),
}


@pytest.mark.parametrize("name", KNOWN)
def test_savings_hold_the_known_ones(name):
    make, loss, against, true = KNOWN[name]
    found = bootstrap(make).saving(loss, against)
    assert found.low - 0.03 < true < found.high + 0.03  # the median's density is smoothed
    assert found.value == pytest.approx(true, abs=0.1)


def test_the_efficient_huber_promises_nothing_on_gaussian_noise():
    found = [bootstrap(gaussian, 600, seed).efficient_saving(Squared()).value for seed in range(20)]
    assert -0.1 < np.mean(found) < 0.005


def test_the_efficient_threshold_of_contaminated_noise_is_hubers():
    """For 5 % contamination Huber (1964) has k = 1.399."""
    found = bootstrap(gross, 20_000).efficient_delta()
    assert found.low < 1.6
    assert found.high > 1.2
    assert DELTAS[0] < found.value < DELTAS[-1]


def test_worst_share_and_skewness():
    errors = np.random.default_rng(6).exponential(size=1000)
    found = Bootstrap(errors, halves(1000), 0.0, 0.95)
    squares = np.sort(errors**2)
    assert found.worst_share().value == pytest.approx(squares[-10:].sum() / squares.sum())
    assert found.skewness().value == pytest.approx(stats.skew(errors))
    assert found.octile_skewness().positive


# --- variance by the prediction ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["Poisson", "gamma", "Gaussian"])
def test_the_power_is_that_of_statsmodels(name):
    y, p = rows(NOISES[name])
    family = sm.families.Gamma(sm.families.links.Log())
    model = sm.GLM((y - p) ** 2, sm.add_constant(np.log(p)), family)
    model = model.fit(cov_type="HC0", tol=1e-12)
    found = growth.power(y, p, 0.95)
    assert found.value == pytest.approx(model.params[1], abs=1e-6)
    half = stats.t.ppf(0.975, y.size - 2) * model.bse[1]
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=1e-3)


@pytest.mark.parametrize(
    ("loss", "order"), [(Poisson(), 1.0), (Gamma(), 2.0), (Tweedie(1.5), 1.5), (Squared(), 0.0)]
)
def test_savings_of_deviances_are_those_of_weighted_least_squares(loss, order):
    y, p = rows(NOISES["gamma"])
    columns = sm.add_constant(p)

    def spread(power):
        covariance = sm.WLS(y, columns, p**-power).fit(cov_type="HC0").cov_params()
        return np.trace(covariance @ columns.T @ columns)

    found = Line(y, p, 0.95).saving(loss, Squared())
    assert found.value == pytest.approx(1 - spread(order) / spread(0.0), abs=1e-9)


@pytest.mark.parametrize("p", [np.full(500, 3.0), np.linspace(-1, 1, 500)])
def test_a_power_that_cannot_be_told_is_undefined(p):
    found = growth.power(p + 1, p, 0.95)
    assert found.value is None
    assert found.why


# --- the judge ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "functional", "loss"),
    [
        ("mse", "mean", Squared()), ("rmse", "mean", Squared()), ("r2", "mean", Squared()),
        ("explained_variance", "mean", Squared()), ("mae", "median", Absolute()),
        ("wape", "median", Absolute()), ("d2_absolute", "median", Absolute()),
        ("pinball:0.5", "median", Absolute()), ("pinball:0.9", "quantile", Pinball(0.9)),
        ("d2_pinball:0.9", "quantile", Pinball(0.9)), ("poisson", "mean", Poisson()),
        ("huber:3", "huber", Huber(3)), ("d2_gamma", "mean", Gamma()),
        ("expectile:0.5", "mean", Squared()),
    ],
)  # fmt: skip
def test_what_a_judge_elicits(name, functional, loss):
    found = judge(name)
    assert (found.functional, found.loss) == (functional, loss)


@pytest.mark.parametrize(
    "name", ["bias", "max_error", "median_absolute_error", "squared_correlation", "mae,rmse"]
)
def test_judges_that_no_loss_goes_with_are_refused(name):
    with pytest.raises(MeasureError):
        judge(name)


def test_a_judge_of_ones_own_is_trained_with_itself():
    study = studied(gaussian, "late = where(r < 0, 5*abs(r), abs(r))")
    assert study.advised is None
    assert [one.verdict for one in study.candidates] == ["own"]


# --- the advice --------------------------------------------------------------------------------

ADVICE = {
    ("Gaussian", "mse"): (gaussian, None),
    ("Gaussian", "mae"): (gaussian, "squared"),
    ("heavy", "mse"): (heavy, "huber"),
    ("gross", "mse"): (gross, "huber"),
    ("gross", "mae"): (gross, "huber"),
    ("skewed", "mse"): (skewed, None),
    ("skewed", "mae"): (skewed, None),
    ("heavy", "pinball:0.9"): (heavy, None),
    ("counts", "mse"): (counts, "poisson"),
    ("gamma", "rmse"): (NOISES["gamma"], "gamma"),
    ("gamma", "gamma"): (NOISES["gamma"], None),
}


@pytest.mark.parametrize("case", ADVICE, ids="-".join)
def test_known_answers(case):
    make, expected = ADVICE[case]
    advised = studied(make, case[1], 2000, seed=1).advised
    assert (advised and advised.loss.name) == expected


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n", [150, 600])
def test_skewed_noise_judged_by_the_mean_never_gets_the_median(n, seed):
    study = studied(skewed, "mse", n, seed)
    assert study.advised is None
    others = {one.loss.name: one.verdict for one in study.candidates[1:]}
    assert others["absolute"] == others["huber"] == "elsewhere"


def test_skewness_that_turns_with_the_prediction_is_seen():
    """As a whole this noise is symmetric; a median line would still be another one."""
    y, p = rows(lambda g, p: p + np.where(p > 10, 1, -1) * (g.exponential(2, p.size) - 2), 3000)
    assert not Study(judge("mse"), y, p).symmetric


def test_other_units_and_another_sign_change_the_numbers_alone():
    y, p = rows(heavy)
    one = Study(judge("mse"), y, p)
    big = Study(judge("mse"), 1024 * y, 1024 * p)
    turned = Study(judge("mse"), -y, -p)
    for other, factor in ((big, 1024), (turned, 1)):
        assert [c.verdict for c in other.candidates] == [c.verdict for c in one.candidates]
        found, first = other.evidence["huber_delta"], one.evidence["huber_delta"]
        assert found.value == pytest.approx(first.value * factor)
    gap, first = turned.evidence["mean_less_median"], one.evidence["mean_less_median"]
    assert gap.value == pytest.approx(-first.value)
    assert Study(judge("mse"), y, p).evidence == one.evidence


def test_too_little_is_no_reason_to_change():
    few = choose(np.arange(50.0), np.arange(50.0) + 1)
    assert few.recommendation.startswith("Keep mse: 50 rows say too little")
    same = choose(np.arange(500.0), np.arange(500.0) + 1, judge="mae")
    assert same.recommendation == "Train with mae: all errors are the same number."
    assert few.evidence == ()


def test_errors_that_are_mostly_zero_give_no_nonsense():
    random = np.random.default_rng(0)
    p = random.normal(size=400)
    found = choose(p + np.where(random.random(400) < 0.7, 0.0, random.normal(size=400)), p)
    saving = {one.name: one.saving for one in found.study.candidates}["mae"]
    assert saving.value is None or saving.value < 1
    json.loads(found.to_json())
    huge = choose([1e200] * 150 + [2.0], [0.0] * 151, judge="mae")
    assert huge.recommendation.startswith("Train with mae")
    assert "NaN" not in huge.to_json()


# --- the verb, and what is shown ---------------------------------------------------------------


def test_a_table_and_arrays_say_the_same(tmp_path):
    y, p = rows(heavy)
    pq.write_table(pa.table({"y": y, "p": p}), tmp_path / "a.parquet")
    table = choose(tmp_path / "a.parquet", true="y", pred="p", judge="mae").to_dict()
    arrays = choose(y, p, judge="mae").to_dict()
    differing = {key for key in table if table[key] != arrays[key]}
    assert differing == {"source", "columns"}


def test_long_tables_are_sampled_and_say_so():
    y, p = rows(gaussian, 140_000)
    found = choose({"y_true": y, "y_pred": p})
    assert found.rows == 140_000
    assert 30_000 < found.used <= 65_536
    assert "140,000 rows read" in str(found)


def test_missing_values_are_refused_or_dropped():
    y, p = rows(gaussian, 300)
    y[7] = np.nan
    with pytest.raises(DataError, match="row 8"):
        choose(y, p)
    found = choose(y, p, nan="drop")
    assert (found.rows, found.dropped, found.used) == (300, 1, 299)


@pytest.mark.parametrize(
    "call",
    [
        lambda: choose([0, 1, 1, 0], [0.2, 0.7, 0.9, 0.4]),
        lambda: choose(["a", "b"], ["a", "a"]),
        lambda: choose("examples/digits.parquet"),
        lambda: choose([1.0, 2.0], [1.0, 2.5], true="y"),
        lambda: choose([1.0, 2.0], [1.0, 2.5], judge="nothing"),
        lambda: choose([1.0, 2.0], [1.0, 2.5], confidence=2),
        lambda: choose([1.0, 2.0], [1.0]),
        lambda: choose([1.0, 2.5], [-1.0, 2.0], judge="poisson"),
        lambda: choose([0.0, 2.5], [1.0, 2.0], judge="mape"),
    ],
)
def test_what_cannot_be_answered_is_refused(call, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    with pytest.raises(OffbyError):
        call()


def test_whole_number_forecasts_of_counts_are_numbers_if_told():
    random = np.random.default_rng(0)
    p = random.integers(1, 6, 1000)
    y = random.poisson(p)
    with pytest.raises(MeasureError, match="--task regression"):
        choose(y, p)
    found = choose(y, p, task="regression")
    assert found.study.noise.name == "Poisson"


def test_several_outputs_are_refused():
    columns = {name: [1.5, 2.5, 0.5] for name in ("a", "b", "pa", "pb")}
    with pytest.raises(TableError, match="one column"):
        choose(columns, true="a,b", pred="pa,pb")


@pytest.mark.parametrize("case", ADVICE, ids="-".join)
def test_every_answer_can_be_shown(case):
    make, _ = ADVICE[case]
    y, p = rows(make, 400)
    found = choose(y, p, judge=case[1])
    told = found.to_dict()
    json.dumps(told, allow_nan=False)
    assert found.recommendation in " ".join(str(found).split())
    assert 1 <= len(found.sentences) <= 3
    assert len(found.table.lines) == len(told["table"])
    assert {one.name for one in found.evidence} == set(told["evidence"])
    narrow = found.to_text(40)
    assert max(map(len, narrow.splitlines())) <= 40


def test_what_no_interval_supports_is_not_said():
    found = choose(*rows(gaussian, 2000, 3))
    by_name = {one.name: one.text for one in found.evidence}
    assert by_name["tail_index"].startswith("No heavy tail is seen")
    assert by_name["skewness"].endswith("so no asymmetry is seen.")


def test_the_page_opens_offline(tmp_path):
    found = choose(*rows(heavy, 400))
    page = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == page
    assert page.count("<svg xmlns") == 3
    assert "http://www.w3.org/2000/svg" in page
    assert "https://" not in page
    assert found.recommendation.replace("'", "&#39;") in page
    assert "<html" not in found._repr_html_()


def test_the_command(offby_command, tmp_path):
    ran = offby_command("choose", "examples/flights.parquet", "--true", "arr_delay", "--pred",
                        "predicted", "--judge", "mae", "--html", tmp_path / "a.html")  # fmt: skip
    assert ran.code == 0
    assert ran.out.startswith("Train with mae: the noise is asymmetric")
    assert (tmp_path / "a.html").stat().st_size > 10_000
    ran = offby_command("choose", "examples/houses.csv", "--json")
    assert json.loads(ran.out)["recommendation"].startswith("Keep mse: 3 rows")
    assert "classes" in offby_command("choose", "examples/frauds.csv").error


# --- amounts with zeros --------------------------------------------------------------------------


def compound(random, p, power=1.5, dispersion=1.0):
    """A Poisson number of gamma amounts, of mean p: the Tweedie family (Jorgensen 1987)."""
    number = random.poisson(p ** (2 - power) / dispersion / (2 - power))
    shape, scale = (2 - power) / (power - 1), dispersion * (power - 1) * p ** (power - 1)
    return random.gamma(np.maximum(number * shape, 1e-9), scale) * (number > 0)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
@pytest.mark.parametrize("dispersion", [0.05, 0.5, 3.0])
def test_the_tweedie_density_is_that_of_statsmodels(power, dispersion):
    y, mean = np.array([0, 0.01, 0.5, 2.0, 7.0, 30.0]), np.full(6, 2.0)
    peer = sm.families.Tweedie(var_power=power).loglike_obs(y, mean, scale=dispersion)
    found = tweedie.tweedie(y, mean, power, dispersion)
    np.testing.assert_allclose(found, peer, rtol=1e-10, atol=1e-10)
    many = np.geomspace(0.01, 30, 2000)
    told = tweedie.tweedie(many, np.full(2000, 2.0), power, dispersion)
    peer = sm.families.Tweedie(var_power=power).loglike_obs(many, 2.0, scale=dispersion)
    np.testing.assert_allclose(told, peer, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dispersion", [0.001, 1e-5])
def test_a_series_of_thousands_of_terms_is_nearly_gaussian(dispersion):
    told = tweedie.tweedie(np.array([2.0]), np.array([2.0]), 1.5, dispersion)
    peer = stats.norm.logpdf(0, scale=math.sqrt(dispersion * 2**1.5))
    assert told[0] == pytest.approx(peer, abs=dispersion)


@pytest.mark.parametrize("power", [1.3, 1.7])
def test_the_power_of_a_tweedie_is_found(power):
    y, p = rows(lambda random, p: compound(random, p, power), 4000)
    found = tweedie.compound(y, 3 * p)
    assert found.power == pytest.approx(power, abs=0.05)
    assert found.dispersion == pytest.approx(1, abs=0.1)
    assert found.factor == pytest.approx(1 / 3, rel=0.05)


def test_zeros_are_compared_only_by_families_that_give_them_a_chance():
    y, p = rows(lambda random, p: compound(random, p, 1.5, 3.0))
    assert np.mean(y == 0) > 0.1
    found = likenesses(y, p, "zeros", 0.95)
    assert [one.name for one in found] == ["Tweedie", "gamma with zeros"]
    assert found[1].behind.high < 0
    random = np.random.default_rng(3)
    mixed = random.gamma(3, p / 3) * (random.random(p.size) < 0.7)
    assert likenesses(mixed, p, "zeros", 0.95)[0].name == "gamma with zeros"


def test_positive_amounts_are_told_from_tweedie_by_their_likelihood():
    y, p = rows(lambda random, p: random.gamma(2, p / 2), 2000)
    names = [one.name for one in likenesses(y, p, "positive", 0.95)]
    assert names[0] == "gamma"
    assert "Tweedie" in names
