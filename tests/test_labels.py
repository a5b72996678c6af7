"""Labels: every source gives the same ones, and codes stand for them exactly."""

import bz2
import datetime
import gzip
import io
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offby.errors import DataError, OffbyError, TableError
from offby.tables import (
    LabelCodes,
    Place,
    Table,
    find_columns,
    find_probabilities,
    find_true,
    label_text,
    open_table,
)
from offby.tables.table import LEAST_ROWS

EXAMPLES = Path(__file__).parents[1] / "examples"
HERE = Place("a list", "late")
WORDS = ["no", "yes", None, "no"]
Y = [1.0, 2.0, 3.0, 4.0]
CSV = "id,late,y\n9,no,1\n9,yes,2\n9,,3\n9,no,4\n"


def texts(source: object, column: str = "late") -> list[str | None]:
    """Read a column of labels as text, checking what every batch promises."""
    table = source if isinstance(source, Table) else open_table(source)
    codes, found, row = LabelCodes(most=10**7), [], 0
    for batch in table.read((), [column]):
        assert batch.columns == {}
        assert (batch.first_row, list(batch.labels)) == (row, [column])
        assert batch.rows == len(batch.labels[column]) > 0
        place = Place(table.source, column, row)
        found += codes.encode(batch.labels[column], place).tolist()
        row += batch.rows
    return [None if code < 0 else codes.labels[code] for code in found]


def encode(values: Any, codes: LabelCodes | None = None, place: Place = HERE) -> list[int]:
    found = (codes if codes is not None else LabelCodes()).encode(values, place)
    assert found.dtype == np.int64
    return found.tolist()


def message(kind: type[OffbyError], act: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value)


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def arrow_table(type_: Any = None) -> pa.Table:
    return pa.table({"late": pa.array(WORDS).cast(type_ or pa.string()), "y": Y})


def write_parquet(path: Path, table: pa.Table | None = None) -> Path:
    pq.write_table(arrow_table() if table is None else table, path, row_group_size=2)
    return path


def write_arrow(path: Path, stream: bool = False, table: pa.Table | None = None) -> Path:
    table = arrow_table() if table is None else table
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


# --- the ways in ----------------------------------------------------------------------------------

DICTIONARY = pa.dictionary(pa.int8(), pa.string())

SOURCES: dict[str, Callable[[Path], object]] = {
    "csv": lambda at: write(at / "t.csv", CSV),
    "csv with a null word": lambda at: write(at / "t.csv", CSV.replace(",,", ",NA,")),
    "tsv": lambda at: write(at / "t.tsv", CSV.replace(",", "\t")),
    "gzip": lambda at: write(at / "t.csv.gz", gzip.compress(CSV.encode())),
    "bz2": lambda at: write(at / "t.csv.bz2", bz2.compress(CSV.encode())),
    "parquet": lambda at: write_parquet(at / "t.parquet"),
    "parquet, large text": lambda at: write_parquet(at / "t", arrow_table(pa.large_string())),
    "parquet, dictionary": lambda at: write_parquet(at / "t", arrow_table(DICTIONARY)),
    "parquet, bytes": lambda at: write_parquet(at / "t", arrow_table(pa.binary())),
    "arrow file": lambda at: write_arrow(at / "t.arrow"),
    "arrow stream": lambda at: write_arrow(at / "t.arrow", stream=True),
    "arrow, dictionary": lambda at: write_arrow(at / "t", table=arrow_table(DICTIONARY)),
    "pyarrow": lambda _: arrow_table(),
    "pyarrow views": lambda _: arrow_table(pa.string_view()),
    "record batch": lambda _: arrow_table().combine_chunks().to_batches()[0],
    "reader": lambda _: arrow_table().to_reader(),
    "pandas": lambda _: pd.DataFrame({"late": WORDS, "y": Y}),
    "pandas objects": lambda _: pd.DataFrame({"late": pd.Series(WORDS, dtype=object)}),
    "pandas category": lambda _: pd.DataFrame({"late": pd.Categorical(WORDS)}),
    "pandas over arrow": lambda _: arrow_table().to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda _: pl.DataFrame({"late": WORDS}),
    "polars categorical": lambda _: pl.DataFrame({"late": pl.Series(WORDS, dtype=pl.Categorical)}),
    "polars enum": lambda _: pl.DataFrame(
        {"late": pl.Series(WORDS, dtype=pl.Enum(["maybe", "yes", "no"]))}
    ),
    "duckdb": lambda _: duckdb.connect().from_arrow(arrow_table()),
    "dict of lists": lambda _: {"late": WORDS, "y": Y},
    "dict of tuples": lambda _: {"late": tuple(WORDS)},
    "dict of objects": lambda _: {"late": np.array(WORDS, object)},
    "dict with NaN": lambda _: {"late": np.array(["no", "yes", np.nan, "no"], object)},
    "dict of masked": lambda _: {
        "late": np.ma.masked_array(["no", "yes", "", "no"], [False, False, True, False])
    },
    "dict of bytes": lambda _: {"late": [b"no", b"yes", None, b"no"]},
    "dict of arrow": lambda _: {"late": pa.chunked_array([WORDS[:1], WORDS[1:]])},
    "dict of run lengths": lambda _: {
        "late": pa.RunEndEncodedArray.from_arrays([1, 2, 3, 4], pa.array(WORDS))
    },
    "dict of series": lambda _: {"late": pl.Series(WORDS)},
    "structured": lambda _: np.array([(word,) for word in WORDS], [("late", object)]),
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())
def test_every_source_gives_the_same_labels(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    assert texts(make(tmp_path)) == WORDS


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())
def test_every_source_counts_the_same(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    table = open_table(make(tmp_path))
    if table.once:
        assert "only once" in message(TableError, lambda: table.count_labels("late"))
    else:
        assert list(table.count_labels("late").items()) == [("no", 2), ("yes", 1)]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    table = open_table("-")
    assert "standard input can be read only once" in message(
        TableError, lambda: table.count_labels("late")
    )
    assert texts(table) == WORDS


def test_parquet_of_standard_input_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_parquet(tmp_path / "t").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    table = open_table("-")
    assert table.count_labels("late") == {"no": 2, "yes": 1}
    assert texts(table) == WORDS


def test_several_files_of_several_types(tmp_path: Path) -> None:
    columns: list[Any] = [[0, 1, None], ["0", "1"], [True, False], [1.0, float("nan")]]
    for number, values in enumerate(columns):
        pq.write_table(pa.table({"late": values}), tmp_path / f"{number}.parquet")
    expected = ["0", "1", None, "0", "1", "true", "false", "1", None]
    assert texts(tmp_path) == expected
    table = open_table(tmp_path)
    assert table.count_labels("late") == {"0": 2, "1": 3, "true": 1, "false": 1}
    assert [batch.first_row for batch in table.read((), ["late"])] == [0, 3, 5, 7]


def test_both_forms_of_a_column() -> None:
    values = pa.array(["1", "2"]).cast(pa.int64()).dictionary_encode()
    (batch,) = open_table(pa.table({"x": values, "y": [1.0, 2.0]})).read(["x", "y"], ["x"])
    assert batch.columns["x"].tolist() == [1, 2]
    assert batch.labels["x"].to_pylist() == [1, 2]
    assert list(batch.columns) == ["x", "y"]


@pytest.mark.parametrize("make", [SOURCES["csv"], SOURCES["parquet"], SOURCES["pandas"]])
def test_numbers_and_labels_together(tmp_path: Path, make: Callable[[Path], object]) -> None:
    source = make(tmp_path)
    (batch,) = open_table(source).read(["y"], ["late"])
    assert batch.columns["y"].tolist() == Y
    assert encode(batch.labels["late"]) == [0, 1, -1, 0]
    assert "not" in message(DataError, lambda: list(open_table(source).read(["late"], ["late"])))


def test_only_columns_that_are_needed_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", b"late,note\nno,\xff\n")
    assert texts(path) == ["no"]
    frame = pd.DataFrame({"late": ["no"], "mixed": pd.Series([object()], dtype=object)})
    assert texts(frame) == ["no"]


def test_columns_that_are_not_there() -> None:
    table = open_table({"late": WORDS})
    assert "did you mean 'late'?" in message(TableError, lambda: table.read((), ["lat"]))
    assert "no column 'x'" in message(TableError, lambda: table.count_labels("x"))


@pytest.mark.parametrize(
    "make",
    [
        lambda at: pa.table({"late": pa.array([], pa.string())}),
        lambda at: {"late": []},
        lambda at: write(at / "t.csv", "late\n"),
        lambda at: write_parquet(at / "t", pa.table({"late": pa.array([], pa.string())})),
    ],
)
def test_no_rows(tmp_path: Path, make: Callable[[Path], object]) -> None:
    assert open_table(make(tmp_path)).count_labels("late") == {}


# --- joining --------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", [pa.string(), pa.string_view(), DICTIONARY, pa.binary()])
def test_small_batches_are_joined(type_: Any) -> None:
    words = [str(number % 300) for number in range(1000)]  # more than an int8 can index
    pieces = [pa.array(words[at : at + 100]).cast(type_) for at in range(0, 1000, 100)]
    table = pa.Table.from_batches([pa.record_batch({"late": piece}) for piece in pieces])
    (batch,) = open_table(table).read((), ["late"])
    assert len(batch.labels["late"]) == 1000
    assert texts(table) == words


def test_one_dictionary_is_kept() -> None:
    column = pa.array(["b", "a"] * 500).dictionary_encode()
    batches = [pa.record_batch({"late": column[at : at + 10]}) for at in range(0, 1000, 10)]
    (batch,) = open_table(pa.Table.from_batches(batches)).read((), ["late"])
    assert pa.types.is_dictionary(batch.labels["late"].type)


def test_text_of_parquet_keeps_its_dictionary(tmp_path: Path) -> None:
    pq.write_table(arrow_table(), tmp_path / "t")
    (batch,) = open_table(tmp_path / "t").read((), ["late"])
    assert pa.types.is_dictionary(batch.labels["late"].type)


def test_numpy_labels_are_not_copied() -> None:
    values = np.arange(5)
    (batch,) = open_table({"late": values}).read((), ["late"])
    assert np.shares_memory(batch.labels["late"], values)


def test_large_tables_come_in_slices() -> None:
    values = np.arange(2_500_000) % 7
    batches = list(open_table({"late": values}).read((), ["late"]))
    assert len(batches) == 3
    assert sum(batch.rows for batch in batches) == len(values)


def test_joined_numpy_labels(tmp_path: Path) -> None:
    parts = [open_table({"late": np.array([part, 7])}) for part in range(3)]
    from offby.tables.many import open_many

    (batch,) = open_many("three", tuple(parts), (1, 1, 1)).read((), ["late"])
    assert batch.labels["late"].tolist() == [0, 7, 1, 7, 2, 7]


# --- text -----------------------------------------------------------------------------------------

UTC = datetime.timezone.utc  # noqa: UP017
PARIS = pa.timestamp("s", "Europe/Paris")
NOON = datetime.datetime(2020, 1, 2, 12, 30)
MIDNIGHT = datetime.datetime(2020, 1, 2)

TEXTS: dict[str, tuple[Any, list[str]]] = {
    "integers": (np.array([3, -1]), ["3", "-1"]),
    "large": (np.array([2**63 + 1], np.uint64), ["9223372036854775809"]),
    "small": (np.array([3, -1], np.int8), ["3", "-1"]),
    "swapped": (np.array([3, -1], ">i4"), ["3", "-1"]),
    "strided": (np.arange(6)[::3], ["0", "3"]),
    "floats": (np.array([1.0, -0.0, 0.5, 1e15, 1e-7]), ["1", "0", "0.5", "10" + "0" * 14, "1e-7"]),
    "huge floats": (np.array([1e300, np.inf, -np.inf]), ["1e+300", "inf", "-inf"]),
    "single": (np.array([0.1, 2], np.float32), ["0.1", "2"]),
    "half": (np.array([0.5, 2], np.float16), ["0.5", "2"]),
    "long": (np.array([0.5, 2], np.longdouble), ["0.5", "2"]),
    "booleans": (np.array([True, False]), ["true", "false"]),
    "arrow booleans": (pa.array([True, False]), ["true", "false"]),
    "integers in text": (pa.array(["1", "1.0", "-2.0", "-0.0"]), ["1", "1", "-2", "0"]),
    "other text": (
        pa.array(["True", " a ", "1.00", ".0", "1.5", "v1.0", "NA", "", "é"]),
        ["True", " a ", "1.00", ".0", "1.5", "v1.0", "NA", "", "é"],
    ),
    "decimals": (pa.array([Decimal("1.50"), Decimal("-2.00")]), ["1.5", "-2"]),
    "dates": (pa.array([datetime.date(2020, 1, 2)]), ["2020-01-02"]),
    "NumPy dates": (pa.array(np.array(["2020-01-02"], "M8[D]")), ["2020-01-02"]),
    "times": (
        pa.array([datetime.time(9), datetime.time(9, 0, 0, 500)]),
        ["09:00:00", "09:00:00.0005"],
    ),
    "instants": (pa.array([MIDNIGHT, NOON]), ["2020-01-02", "2020-01-02T12:30:00"]),
    "nanoseconds": (pa.array([10], pa.timestamp("ns")), ["1970-01-01T00:00:00.00000001"]),
    "zoned": (pa.array([MIDNIGHT.replace(tzinfo=UTC)], PARIS), ["2020-01-02T00:00:00Z"]),
    "dictionary": (pa.array([1.0, 2.5]).dictionary_encode(), ["1", "2.5"]),
}


@pytest.mark.parametrize(("values", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_labels_of_every_type(values: Any, expected: list[str]) -> None:
    codes = LabelCodes()
    assert [codes.labels[code] for code in encode(values, codes)] == expected
    assert texts({"late": values}) == expected


@pytest.mark.parametrize(
    "values",
    [
        pa.nulls(2),
        pa.array([None, None], pa.string()),
        np.array([np.nan, np.nan]),
        np.array([None, np.nan], object),
        pa.array([float("nan"), None]),
        pa.array([float("nan"), None]).dictionary_encode(),
        pa.DictionaryArray.from_arrays([0, None], pa.array([None, "a"])),
        pa.array([None], pa.date32()),
    ],
)
def test_missing_labels(values: Any) -> None:
    codes = LabelCodes()
    assert set(encode(values, codes)) == {-1}
    assert codes.labels == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (np.int8(3), "3"), (np.True_, "true"), ("AA", "AA"), ("1.0", "1")],
)
def test_the_text_of_one(value: object, text: str) -> None:
    assert label_text(value) == text


@pytest.mark.parametrize(
    "value", [None, float("nan"), [1], {"a": 1}, object(), b"\xff", 10**30, datetime.timedelta(1)]
)
def test_what_is_no_label(value: object) -> None:
    assert "is not a label" in message(DataError, lambda: label_text(value))


# --- codes ----------------------------------------------------------------------------------------


def test_codes_stand_in_order_of_appearance() -> None:
    codes = LabelCodes()
    assert encode(np.array([7, 3, 7]), codes) == [0, 1, 0]
    assert encode(pa.array(["x", "3", None]), codes) == [2, 1, -1]
    assert encode(pa.array(["unused", "x"]).dictionary_encode()[1:], codes) == [2]
    assert (codes.labels, len(codes)) == (["7", "3", "x"], 3)


LABELS = st.lists(st.none() | st.sampled_from("abcde") | st.text(max_size=3), max_size=30)


@given(LABELS, st.integers(0, 30), st.booleans())
def test_codes_do_not_depend_on_the_batches(
    labels: list[str | None], cut: int, dictionary: bool
) -> None:
    whole, parts = LabelCodes(), LabelCodes()
    array = pa.array(labels, pa.string())
    pieces = [array[:cut], array[cut:]]
    if dictionary:
        pieces = [piece.dictionary_encode() for piece in pieces]
    assert encode(array, whole) == [code for piece in pieces for code in encode(piece, parts)]
    assert whole.labels == parts.labels


@given(LABELS, LABELS)
def test_merging_keeps_every_label(here: list[str | None], there: list[str | None]) -> None:
    ours, theirs = LabelCodes(), LabelCodes()
    encode(pa.array(here, pa.string()), ours)
    encode(pa.array(there, pa.string()), theirs)
    before = ours.labels
    merged = ours.merge(theirs)
    assert merged.dtype == np.int64
    assert [ours.labels[code] for code in merged] == theirs.labels
    assert ours.labels[: len(before)] == before
    assert set(ours.labels) == {*before, *theirs.labels}


def test_fixed_labels() -> None:
    codes = LabelCodes([0, 1, "late"])
    assert encode(pa.array(["late", "1.0", None]), codes) == [2, 1, -1]
    assert encode(np.array([1, 0]), codes) == [1, 0]
    place = Place("t.csv", "y", 1000)
    text = message(DataError, lambda: encode(pa.array(["1", None, "2", "2"]), codes, place))
    assert text.startswith("row 1,003 of column 'y' in t.csv is '2', which is none of the known")
    assert text.endswith("'0', '1', 'late'")
    other = LabelCodes(["3"])
    assert "a label is '3'" in message(DataError, lambda: codes.merge(other))
    assert codes.labels == ["0", "1", "late"]


def test_many_fixed_labels_are_not_all_listed() -> None:
    codes = LabelCodes(range(100))
    assert text_end(message(DataError, lambda: encode(np.array([100]), codes))) == "and 80 more"


def text_end(text: str) -> str:
    return " ".join(text.split()[-3:])


def test_a_label_given_twice() -> None:
    assert "'1' is given twice" in message(DataError, lambda: LabelCodes([1, "1"]))


def test_too_many_labels() -> None:
    codes = LabelCodes()
    assert len(set(encode(np.arange(10_000), codes))) == 10_000
    place = Place("t.csv", "price", 10_000)
    text = message(DataError, lambda: encode(np.array([0, 10_000]), codes, place))
    assert "first 10,002 rows of column 'price' in t.csv have 10,001 distinct labels" in text
    assert "more than 10,000; is it a number?" in text
    assert "--task regression" in text
    few = LabelCodes(most=2, advice="take fewer")
    assert message(DataError, lambda: few.merge(LabelCodes("abc"))).endswith("2; take fewer")
    table = open_table({"x": np.arange(20.0)})
    assert "20 distinct labels" in message(DataError, lambda: table.count_labels("x", most=19))


NO_LABELS: dict[str, tuple[Any, str]] = {
    "lists": (pa.array([[1], [2]]), "holds list<item: int64> (its values begin '[1]', '[2]')"),
    "structs": (pa.array([{"a": 1}]), "give one label a row"),
    "list dictionary": (pa.array([datetime.timedelta(1)]), "not labels"),
    "not UTF-8": (pa.array([b"a", None, b"\xff"]), "row 3 of column 'late' in a list is not UTF-8"),
    "text that is not": (
        pa.StringArray.from_buffers(2, pa.py_buffer(np.int32([0, 1, 2])), pa.py_buffer(b"a\xff")),
        "row 2 of column 'late' in a list is not UTF-8",
    ),
}


@pytest.mark.parametrize(("values", "expected"), NO_LABELS.values(), ids=NO_LABELS.keys())
def test_what_holds_no_labels(values: Any, expected: str) -> None:
    assert expected in message(DataError, lambda: encode(values))
    assert "late" in message(DataError, lambda: open_table({"late": values}).count_labels("late"))


@pytest.mark.parametrize(
    "values",
    [np.array([1j]), np.array([1, "a"], object), np.zeros((2, 2)), np.array([10**30], object)],
)
def test_arrays_that_hold_no_labels(values: Any) -> None:
    text = message(DataError, lambda: encode(values))
    assert f"column 'late' of a list holds {values.dtype}" in text
    assert "not labels" in text


def test_mixed_objects_are_refused() -> None:
    text = message(DataError, lambda: texts({"late": [1, "a"]}))
    assert "column 'late' of dict of columns does not hold labels of one type" in text
    assert "must all be text" in text
    assert "shape (2, 3)" in message(DataError, lambda: texts({"late": np.zeros((2, 3))}))


def test_files_that_are_not_utf8(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", b"late,y\nno,1\n\xff,2\n")
    assert "not UTF-8 in a column that is needed" in message(TableError, lambda: texts(path))
    column = pa.StringArray.from_buffers(
        2, pa.py_buffer(np.int32([0, 1, 2])), pa.py_buffer(b"a\xff")
    )
    write_parquet(tmp_path / "t.parquet", pa.table({"late": column}))
    text = message(DataError, lambda: texts(tmp_path / "t.parquet"))
    assert "row 2 of column 'late' in t.parquet is not UTF-8" in text


# --- size -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1), st.integers(1, 4))
def test_counts_are_those_of_the_rows(rows: list[int], repeats: int) -> None:
    batches = [pa.record_batch({"late": pa.array(rows)})] * repeats
    counted = open_table(pa.Table.from_batches(batches)).count_labels("late")
    assert counted == {str(label): count for label, count in Counter(rows * repeats).items()}


@pytest.mark.parametrize("make", [str, int])
def test_a_million_labels_are_counted(tmp_path: Path, make: Callable[[int], Any]) -> None:
    labels = [make(number) for number in range(10**6)]
    pq.write_table(pa.table({"late": labels + labels[::-1]}), tmp_path / "t.parquet")
    start = time.perf_counter()
    counted = open_table(tmp_path / "t.parquet").count_labels("late", most=10**6)
    assert time.perf_counter() - start < 20  # 2 s on an idle machine
    assert len(counted) == 10**6
    assert set(counted.values()) == {2}
    assert next(iter(counted)) == "0"


def test_rows_of_an_unknown_label_beyond_the_first_batch() -> None:
    values = np.zeros(LEAST_ROWS * 40, np.int64)
    values[-1] = 5
    table, codes = open_table({"late": values}), LabelCodes([0])

    def act() -> None:
        for batch in table.read((), ["late"]):
            codes.encode(batch.labels["late"], Place(table.source, "late", batch.first_row))

    assert f"row {len(values):,} of column 'late'" in message(DataError, act)


# --- finding columns of classes -------------------------------------------------------------------


def table_of(*names: str) -> Table:
    return open_table({name: [1.0] for name in names})


def found(*names: str, **told: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen = find_columns(table_of(*names), **told)
    return chosen.true, chosen.pred


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize(
    ("names", "true", "pred"),
    [
        (("late", "p_late", "carrier"), "late", "p_late"),
        (("late", "Late Prob"), "late", "Late Prob"),
        (("late_true", "proba_late"), "late_true", "proba_late"),
        (("class", "predicted"), "class", "predicted"),
        (("target", "probability"), "target", "probability"),
        (("label", "y_score"), "label", "y_score"),
        (("y", "prob"), "y", "prob"),
        (("value", "p_value", "y_true", "y_pred"), "y_true", "y_pred"),
    ],
)
def test_usual_names_of_classes(
    names: tuple[str, ...], true: str, pred: str, classes: bool
) -> None:
    assert found(*names, classes=classes) == ((true,), (pred,))


def test_probabilities_come_before_predicted_labels() -> None:
    assert found("y_true", "y_pred", "prob", classes=True) == (("y_true",), ("prob",))
    assert found("y_true", "y_pred", "prob") == (("y_true",), ("y_pred",))
    assert found("label", "predicted", "p", classes=True) == (("label",), ("p",))
    assert found("late", "p_late", "predicted", classes=True, true="late")[1] == ("p_late",)
    assert found("late", "p_late", "predicted", true="late")[1] == ("predicted",)
    assert found("late", "p_late", pred="p_late") == (("late",), ("p_late",))
    assert found("class", "x", pred="x") == (("class",), ("x",))
    assert found("y", "class", "x", pred="x", classes=True) == (("y",), ("x",))
    choice = message(TableError, lambda: found("y", "class", "p", classes=True))
    assert "more than one pair" in choice
    assert found("y", "class", "p") == (("y",), ("p",))


def test_one_truth_of_several_probabilities() -> None:
    names = ("label", "a", "b", "c")
    three = (("label",), ("a", "b", "c"))
    assert found(*names, true="label", pred="a,b,c", classes=True) == three
    assert found(*names, pred="a,b,c", classes=True) == three
    text = message(TableError, lambda: found(*names, true="label", pred="a,b"))
    assert "1 true columns ('label') against 2 predicted ('a', 'b')" in text
    told = {"true": "label", "pred": "a,label", "classes": True}
    assert "both true and pred" in message(TableError, lambda: found(*names, **told))
    told = {"true": "label,a", "pred": "b", "classes": True}
    assert "2 true columns" in message(TableError, lambda: found(*names, **told))


def test_probabilities_of_labels_are_found() -> None:
    names = ("label", "predicted", "p_no", "p_yes")
    labels = {"yes": 1, "no": 2}
    assert found(*names, classes=True, labels=labels) == (("label",), ("p_yes", "p_no"))
    assert found(*names, classes=True, labels=["maybe", "no"])[1] == ("predicted",)
    assert found(*names, true="label", pred="p_no", classes=True, labels=labels)[1] == ("p_no",)
    chosen = find_columns(table_of(*names), true="label", classes=True, labels=labels)
    assert chosen.how == "true is 'label' and pred is 'p_yes', 'p_no', found by their names."


@pytest.mark.parametrize(
    ("columns", "labels", "expected"),
    [
        ("p_AA p_B6", "B6 AA", "p_B6 p_AA"),
        ("prob_AA prob_B6", "AA B6", "prob_AA prob_B6"),
        ("proba_AA proba_B6", "AA B6", "proba_AA proba_B6"),
        ("AA_prob B6_prob", "AA B6", "AA_prob B6_prob"),
        ("score_AA score_B6", "AA B6", "score_AA score_B6"),
        (".pred_AA .pred_B6", "AA B6", ".pred_AA .pred_B6"),
        ("AA B6", "AA B6", "AA B6"),
        ("p0 p1 p10", "10 0 1", "p10 p0 p1"),
        ("Prob-aa PROB.B6", "AA B6", "Prob-aa PROB.B6"),
        ("p_a p_A", "A a", "p_A p_a"),
        ("P_a P_A", "A a", None),
        ("p_-1 p_1", "-1 1", "p_-1 p_1"),
        ("p_AA p_B6 AA B6 score_AA score_B6", "AA B6", "p_AA p_B6"),
        ("p_AA p_B6 prob_AA prob_B6", "AA B6", None),
        ("p_AA prob_B6", "AA B6", None),
        ("p_AA p_B6", "AA B6 DL", None),
        ("p_AA p_AA p_B6", "AA B6", None),
        ("p_AA", "AA", None),
        ("{} {}_prob", "{} x", None),
        ("p_AA p_B6", "", None),
    ],
)
def test_probabilities_by_their_names(columns: str, labels: str, expected: str | None) -> None:
    chosen = find_probabilities(columns.split(), labels.split())
    assert chosen == (None if expected is None else tuple(expected.split()))


def test_a_column_without_a_name_is_no_probability() -> None:
    assert find_probabilities(["", "p_a"], ["a", "b"]) is None


def test_the_truth_alone() -> None:
    assert find_true(table_of("label", "p0", "p1")) == "label"
    assert find_true(table_of("late", "p_late")) == "late"
    assert find_true(table_of("price", "price_pred", "y")) == "price"
    assert find_true(table_of("Class", "a")) == "Class"
    text = message(TableError, lambda: find_true(table_of("a", "b")))
    assert "cannot tell which column holds the truth in dict of columns. Its columns are" in text
    text = message(TableError, lambda: find_true(table_of("label", "class")))
    assert "('label' or 'class'?)" in text
    assert "--true" in text


def test_examples_of_classes() -> None:
    late = open_table(EXAMPLES / "late.parquet")
    chosen = find_columns(late, classes=True, labels=late.count_labels(find_true(late)))
    assert (chosen.true, chosen.pred) == (("late",), ("p_late",))
    digits = open_table(EXAMPLES / "digits.parquet")
    labels = sorted(digits.count_labels(find_true(digits)))
    chosen = find_columns(digits, classes=True, labels=labels)
    assert (chosen.true, chosen.pred) == (("label",), tuple(f"p{digit}" for digit in range(10)))


def test_wide_tables_are_searched_quickly() -> None:
    names = [f"x{number}_pred" for number in range(20_000)]
    start = time.perf_counter()
    assert found(*names, "y", "y_hat", classes=True) == (("y",), ("y_hat",))
    assert time.perf_counter() - start < 5  # 0.2 s on an idle machine
