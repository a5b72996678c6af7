"""Make visits.parquet and food.csv: two classic tables of econometrics, with held-out predictions.

    pip install statsmodels scikit-learn pyarrow pandas
    python make_visits.py             # writes beside this script; 10 seconds

Both tables ship with statsmodels. `predicted` comes from models that did not see the row: the
visits from a forest that saw no year of the same person, the food from a line fitted to all
other households.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, LeaveOneOut, cross_val_predict
from statsmodels import datasets
from threadpoolctl import threadpool_limits  # comes with scikit-learn

HERE = Path(__file__).parent
RATED = ["poor", "fair", "good", "excellent"]
KNOWN = ["year", "coinsurance", "age", "female", "family", "log_income", "conditions", "limited"]


def main():
    visits()
    food()


def visits():
    raw = pd.read_csv(Path(datasets.__file__).parent / "randhie" / "src" / "randhie.csv")
    rated = [raw[name] == 1 for name in ("hlthg", "hlthf", "hlthp")]
    table = pd.DataFrame({
        "visits": raw.mdvis.astype("int8"),
        "person": raw.zper.astype("int32"),
        "year": raw.year.astype("int8"),
        "coinsurance": raw.coins.astype("int8"),
        "age": raw.xage.round(1).astype("float32"),
        "female": raw.female.astype("int8"),
        "family": raw.num.astype("int8"),
        "log_income": raw.linc.round(2).astype("float32"),
        "conditions": raw.disea.round(1).astype("float32"),
        "limited": raw.physlm.round(2).astype("float32"),
        "health": np.select(rated, ["good", "fair", "poor"], "excellent"),
    })  # fmt: skip
    X = table[KNOWN].assign(health=table.health.map(RATED.index))
    model = RandomForestRegressor(60, min_samples_leaf=100, max_features=0.5, random_state=0)
    folds = GroupKFold(5, shuffle=True, random_state=0)
    with threadpool_limits(1):  # the same last digits whatever the number of cores
        p = cross_val_predict(model, X, table.visits, groups=table.person, cv=folds)
    table["predicted"] = p.round(3).astype("float32")
    tell("visits", table.visits, p)
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(
        {"about": "Visits to a doctor, RAND Health Insurance Experiment. See README.md."}
    )
    pq.write_table(arrow, HERE / "visits.parquet", compression="zstd", compression_level=19)


def food():
    table = datasets.engel.load_pandas().data.rename(columns={"foodexp": "food"}).round(2)
    p = cross_val_predict(LinearRegression(), table[["income"]], table.food, cv=LeaveOneOut())
    tell("food", table.food, p)
    table.assign(predicted=p.round(2)).to_csv(HERE / "food.csv", index=False)


def tell(name, y, p):
    errors = p - y
    print(
        f"{name}: {len(y):,} rows, MAE {errors.abs().mean():.4f}, "
        f"RMSE {np.sqrt(np.mean(errors**2)):.4f}, R² {1 - np.mean(errors**2) / np.var(y):.4f}, "
        f"bias {errors.mean():.4f}"
    )


if __name__ == "__main__":
    main()
