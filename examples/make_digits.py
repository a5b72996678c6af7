"""Make digits.parquet: out-of-fold class probabilities for real handwritten digits.

    pip install scikit-learn pyarrow pandas
    python make_digits.py             # writes beside this script; a few seconds

The data ship with scikit-learn: 1,797 handwritten digits of 8 x 8 pixels. Each
is predicted by a logistic regression that never saw it: ten folds, cut in the
order of the file and not shuffled, because neighbours there come from one
writer, and a shuffle would put every writer's hand on both sides.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss
from sklearn.model_selection import KFold, cross_val_predict
from threadpoolctl import threadpool_limits  # comes with scikit-learn

HERE = Path(__file__).parent


def main():
    pixels, label = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=1000)
    with threadpool_limits(1):  # the same last digits whatever the number of cores
        p = cross_val_predict(model, pixels / 16, label, cv=KFold(10), method="predict_proba")
    guess = p.argmax(axis=1)
    print(
        f"accuracy {accuracy_score(label, guess):.5f}, "
        f"balanced accuracy {balanced_accuracy_score(label, guess):.5f}, "
        f"macro F1 {f1_score(label, guess, average='macro'):.5f}, "
        f"log loss {log_loss(label, p):.5f}, "
        f"{np.sum(label != guess)} of {len(label):,} wrong"
    )

    table = pd.DataFrame({"label": label.astype("int8"), "predicted": guess.astype("int8")})
    for digit in range(10):
        table[f"p{digit}"] = p[:, digit]  # float64, unrounded: the ten sum to one
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(
        {"about": "Handwritten digits and out-of-fold class probabilities. See README.md."}
    )
    path = HERE / "digits.parquet"
    pq.write_table(arrow, path, compression="zstd", compression_level=19)
    print(
        f"wrote {path.name}: {arrow.num_rows:,} rows, {arrow.num_columns} columns, "
        f"{path.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
