"""How fast `measure` is, as ratios against its peers in one run; the table goes to README.md.

Run it on an otherwise idle machine: `make bench`. `--quick` takes a tenth of the rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn.metrics as sk
import torch
from numba import njit
from scipy import stats
from timing import in_turns, keep, machine

import offby
from offby.engine.evaluate import compute
from offby.engine.memory import dot_of
from offby.formula.derive import gradient

Work = Callable[[], object]
QUICK = "--quick" in sys.argv
ROWS = 2_000_000 if QUICK else 20_000_000
FILE_ROWS = 5_000_000 if QUICK else 50_000_000
CORES = os.cpu_count() or 1


def data(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A truth and a prediction with normal errors."""
    generator = np.random.default_rng(0)
    y_true = generator.normal(size=rows) * 10
    return y_true, y_true + generator.normal(size=rows)


@njit(nogil=True)
def _read(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return dot_of(y_true.ctypes.data, y_pred.ctypes.data, y_true.size)


def reading(y_true: np.ndarray, y_pred: np.ndarray) -> Callable[[], object]:
    """Both columns read once with all cores, one multiply-add a row: the floor."""
    pool = ThreadPoolExecutor(CORES)
    parts = list(zip(np.array_split(y_true, CORES), np.array_split(y_pred, CORES), strict=True))
    return lambda: list(pool.map(lambda part: _read(*part), parts))


def sklearn_metrics(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """The values of the default report that scikit-learn has, one call each."""
    sk.mean_absolute_error(y_true, y_pred)
    sk.root_mean_squared_error(y_true, y_pred)
    sk.mean_squared_error(y_true, y_pred)
    np.mean(y_pred - y_true)
    sk.r2_score(y_true, y_pred)
    sk.median_absolute_error(y_true, y_pred)
    sk.max_error(y_true, y_pred)


def polars_query(frame: pl.DataFrame) -> Callable[[], object]:
    """The same aggregates in one lazy query, without standard errors."""
    error = pl.col("p") - pl.col("y")
    return lambda: (
        frame.lazy()
        .select(
            mae=error.abs().mean(),
            mse=error.pow(2).mean(),
            bias=error.mean(),
            variance=pl.col("y").var(ddof=0),
            median=error.abs().median(),
            largest=error.abs().max(),
        )
        .collect()
    )


def duckdb_query(y_true: np.ndarray, y_pred: np.ndarray) -> Callable[[], object]:
    """The same in DuckDB, from its own memory."""
    connection = duckdb.connect()
    connection.register("arrow", pa.table({"y": y_true, "p": y_pred}))
    connection.execute("create table t as select y, p from arrow")
    query = (
        "select avg(abs(p - y)), avg((p - y) * (p - y)), avg(p - y), var_pop(y), "
        "median(abs(p - y)), max(abs(p - y)) from t"
    )
    return lambda: connection.execute(query).fetchall()


def in_memory() -> list[str]:
    y_true, y_pred = data(ROWS)
    frame = pl.DataFrame({"y": y_true, "p": y_pred})
    peers = (
        ("reading both columns once", reading(y_true, y_pred), "≤ 8 ×"),
        ("scikit-learn, a call a metric", partial(sklearn_metrics, y_true, y_pred), "≥ 20 ×"),
        ("Polars, one lazy query, no standard errors", polars_query(frame), "≥ 3 ×"),
        ("DuckDB, one query, no standard errors", duckdb_query(y_true, y_pred), "≥ 6 ×"),
    )
    lines = []
    for what, peer, target in peers:
        best = in_turns({"offby": lambda: offby.measure(y_true, y_pred), "peer": peer}, rounds=7)
        lines.append(versus(what, best["offby"], best["peer"], target, slower="≤" in target))
    start = time.perf_counter()
    sk.d2_absolute_error_score(y_true[: ROWS // 10], y_pred[: ROWS // 10])
    apart = (time.perf_counter() - start) * 10
    return [
        f"Default report with all standard errors, {ROWS:,} float64 rows in memory:",
        "",
        "| against | offby s | peer s | ratio | target |",
        "|---|---|---|---|---|",
        *lines,
        "",
        f"(scikit-learn's d2_absolute_error alone adds about {apart:.1f} s.)",
        "",
        single_precision(y_true, y_pred),
    ]


def single_precision(y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Columns of float32, whose sums are float64's all the same."""
    truth, guess = y_true.astype(np.float32), y_pred.astype(np.float32)
    best = in_turns({"double": lambda: offby.measure(y_true, y_pred),
                     "single": lambda: offby.measure(truth, guess)}, rounds=7)  # fmt: skip
    ratio = best["single"] / best["double"]
    return f"The same of float32 columns: {best['single']:.4f} s, {ratio:.2f} × of float64."


def versus(what: str, ours: float, peer: float, target: str, *, slower: bool = False) -> str:
    """A line with the ratio that the target speaks of."""
    ratio = ours / peer if slower else peer / ours
    return f"| {what} | {ours:.4f} | {peer:.4f} | {ratio:.2f} × | {target} |"


def parquet() -> list[str]:
    """Files as they are met: full-precision predictions, and both columns rounded."""
    lines = [
        f"Parquet (zstd), {FILE_ROWS:,} rows, against decoding the two columns with pyarrow and "
        "throwing them away:",
        "",
        "| columns | offby s | decoding s | of that speed | target |",
        "|---|---|---|---|---|",
    ]
    for what, digits in (("predictions as a model gives them", 17), ("rounded to 3 decimals", 3)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "predictions.parquet"
            _write_parquet(path, digits)
            found = in_turns(
                {"offby": partial(offby.measure, path), "decode": partial(_decode, path)}
            )
            peak = _peak_memory(path)
        share = found["decode"] / found["offby"]
        lines.append(
            f"| {what} | {found['offby']:.3f} | {found['decode']:.3f} | {share:.0%} | ≥ 60 % |"
        )
    return [*lines, "", f"Peak memory over a bare interpreter's, libraries included: {peak:.0f} MB "
            "(target < 400 MB)."]  # fmt: skip


def _decode(path: Path) -> None:
    file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    for _ in file.iter_batches(1 << 18, columns=["y_true", "y_pred"]):
        pass


def _write_parquet(path: Path, digits: int) -> None:
    generator = np.random.default_rng(0)
    schema = pa.schema({"y_true": pa.float64(), "y_pred": pa.float64()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(FILE_ROWS // 1_000_000):
            y_true = np.round(generator.normal(size=1_000_000) * 10, 3)
            y_pred = np.round(y_true + generator.normal(size=1_000_000), digits)
            writer.write_table(pa.table({"y_true": y_true, "y_pred": y_pred}))


def _peak_memory(path: Path) -> float:
    """Megabytes at the peak of measuring the file, less those of a bare interpreter."""

    def peak(work: str) -> float:
        # not ru_maxrss, which a child inherits from the process that started it
        script = f"{work}\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout) / 1024

    return peak(f"import offby; offby.measure({str(path)!r})") - peak("pass")


def bootstrap() -> list[str]:
    y_true, y_pred = data(2000)
    metrics = (
        sk.mean_absolute_error, sk.root_mean_squared_error, sk.mean_squared_error, sk.r2_score,
        lambda a, b: np.mean(b - a),
    )  # fmt: skip

    def scipy_bootstrap() -> None:
        for metric in metrics:
            stats.bootstrap(
                (y_true, y_pred), metric, n_resamples=2000, paired=True, vectorized=False,
                method="BCa", rng=0,
            )  # fmt: skip

    names = "mae,rmse,mse,r2,bias"
    ours = in_turns(
        {"offby": lambda: offby.measure(y_true, y_pred, measures=names, interval="bootstrap")}
    )["offby"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        scipy_bootstrap()
        peer = time.perf_counter() - start
    large = data(100_000)
    start = time.perf_counter()
    offby.measure(*large, measures=names, interval="bootstrap")
    seconds = time.perf_counter() - start
    return [
        f"BCa bootstrap, 2,000 rows, 2,000 replicates, {names}: {ours:.4f} s; "
        f"`scipy.stats.bootstrap` over the scikit-learn metrics {peer:.2f} s: {peer / ours:.0f} × "
        f"(target ≥ 100 ×). 100,000 rows: {seconds:.2f} s.",
    ]


def elementwise() -> list[str]:
    torch.set_num_threads(CORES)
    y_true, y_pred = data(ROWS)
    labels, chances = (y_true > 0).astype(float), 1 / (1 + np.exp(-y_pred))
    huber = offby.losses.Huber(delta=1.345)
    log_loss = offby.loss("-(xlogy(y, p) + xlogy(1 - y, 1 - p))")

    def ours(loss: offby.losses.Loss, y: np.ndarray, p: np.ndarray) -> Callable[[], object]:
        both = [loss.expression, gradient(loss.expression)]
        columns = {offby.y: y, offby.p: p}
        return lambda: compute(both, columns)

    def theirs(function: Callable[..., torch.Tensor], y: np.ndarray, p: np.ndarray) -> Work:
        truth, prediction = torch.from_numpy(y), torch.from_numpy(p).requires_grad_()

        def run() -> None:
            prediction.grad = None
            function(prediction, truth).sum().backward()

        return run

    functional = torch.nn.functional
    best = in_turns(
        {
            "huber": ours(huber, y_true, y_pred),
            "torch huber": theirs(
                lambda p, y: functional.huber_loss(p, y, reduction="none", delta=1.345),
                y_true, y_pred),
            "log": ours(log_loss, labels, chances),
            "torch log": theirs(
                lambda p, y: functional.binary_cross_entropy(p, y, reduction="none"),
                labels, chances),
        },
        rounds=7,
    )  # fmt: skip
    return [
        f"Value and gradient, element by element, {ROWS:,} rows, {CORES} threads each:",
        "",
        "| loss | offby s | torch forward + backward s | ratio | target |",
        "|---|---|---|---|---|",
        versus("Huber", best["huber"], best["torch huber"], "≥ 1 ×"),
        versus("log loss", best["log"], best["torch log"], "≥ 1 ×"),
    ]


def start_up() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.csv"
        path.write_text("y_true,y_pred\n" + "".join(f"{k},{k + k % 3}\n" for k in range(100)))
        command = [sys.executable, "-m", "offby"]

        def run(*arguments: str) -> Callable[[], object]:
            return lambda: subprocess.run(arguments, capture_output=True, check=True)

        best = in_turns(
            {
                "measure": run(*command, "measure", str(path)),
                "help": run(*command, "--help"),
                "sklearn": run(sys.executable, "-c", "import sklearn.metrics"),
            }
        )
    peer = best["sklearn"]
    return [
        f"`offby measure` on a CSV of 100 rows, warm cache: {best['measure']:.2f} s, "
        f"{best['measure'] / peer:.2f} × a bare `import sklearn.metrics` ({peer:.2f} s; target "
        f"≤ 1.5 ×). `offby --help`: {best['help']:.2f} s, {best['help'] / peer:.2f} × "
        "(target ≤ 0.75 ×).",
    ]


def main() -> None:
    lines = [f"Measured on {machine()}; best of several rounds, contenders taking turns.", ""]
    for part in (in_memory, parquet, bootstrap, elementwise, start_up):
        found = part()
        print("\n".join(found), "\n", flush=True)
        lines += [*found, ""]
    if not QUICK:
        keep("measure", lines[:-1])


if __name__ == "__main__":
    main()
