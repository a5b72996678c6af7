"""Tables: every way in gives the same bits, and every bad table says what is wrong with it."""

import bz2
import datetime
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from offby.errors import DataError, OffbyError, TableError
from offby.tables import Batch, Table, find_columns, open_table
from offby.tables.parquet_table import ParquetTable

Y = [210.0, 240.0, 320.5]
P = [200.0, 250.0, 300.0]
CSV = "id,y,p\na,210,200\nb,240,250\nc,320.5,300\n"


def columns(source: object, *names: str) -> dict[str, NDArray[np.float64]]:
    """Read whole columns, checking what every batch promises."""
    table = source if isinstance(source, Table) else open_table(source)
    batches = list(table.read(names))
    check_batches(batches)
    return {
        name: np.concatenate([batch.columns[name] for batch in batches] or [np.empty(0)])
        for name in names
    }


def check_batches(batches: Sequence[Batch]) -> None:
    row = 0
    progress = 0.0
    for batch in batches:
        assert batch.first_row == row
        assert batch.rows > 0
        for values in batch.columns.values():
            assert values.dtype == np.float64
            assert values.flags.c_contiguous
            assert values.shape == (batch.rows,)
        if batch.progress is not None:
            assert progress <= batch.progress <= 1.0
            progress = batch.progress
        row += batch.rows


def is_houses(source: object) -> bool:
    read = columns(source, "y", "p")
    return read["y"].tolist() == Y and read["p"].tolist() == P


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def arrow_table() -> pa.Table:
    return pa.table({"id": ["a", "b", "c"], "y": Y, "p": P})


def write_parquet(path: Path) -> Path:
    pq.write_table(arrow_table(), path, row_group_size=2)
    return path


def write_arrow(path: Path, stream: bool = False, rows: int = 2) -> Path:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), arrow_table().schema) as writer:
        writer.write_table(arrow_table(), max_chunksize=rows)
    return path


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def message(kind: type[OffbyError], act: Callable[[], object]) -> str:
    """Catch the error, and check that it is of offby's own kind with no other shown first."""
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value)


def read_error(source: object, *names: str, kind: type[OffbyError] = DataError) -> str:
    return message(kind, lambda: columns(source, *(names or ("y", "p"))))


# --- the ways in -------------------------------------------------------------------------------

FILES: dict[str, Callable[[Path], object]] = {
    "csv": lambda at: write(at / "t.csv", CSV),
    "csv as text": lambda at: str(write(at / "t.csv", CSV)),
    "csv without a last newline": lambda at: write(at / "t.csv", CSV.rstrip("\n")),
    "csv with CRLF": lambda at: write(at / "t.csv", CSV.replace("\n", "\r\n")),
    "csv with a byte order mark": lambda at: write(at / "t.csv", b"\xef\xbb\xbf" + CSV.encode()),
    "csv with blank lines": lambda at: write(at / "t.csv", "\n" + CSV.replace("\n", "\n\n")),
    "csv with quotes": lambda at: write(
        at / "t.csv", CSV.replace("y", '"y"').replace("a", '"a,\n"')
    ),
    "csv with spaces": lambda at: write(at / "t.csv", CSV.replace(",", " , ")),
    "semicolons": lambda at: write(at / "t.csv", CSV.replace(",", ";")),
    "tabs in csv": lambda at: write(at / "t.csv", CSV.replace(",", "\t")),
    "tsv": lambda at: write(at / "t.tsv", CSV.replace(",", "\t")),
    "commas in tsv": lambda at: write(at / "t.tsv", CSV),
    "no suffix": lambda at: write(at / "table", CSV),
    "gzip": lambda at: write(at / "t.csv.gz", gzip.compress(CSV.encode())),
    "gzip in two members": lambda at: write(
        at / "t.csv.gz", gzip.compress(CSV[:20].encode()) + gzip.compress(CSV[20:].encode())
    ),
    "gzip without its suffix": lambda at: write(at / "t.csv", gzip.compress(CSV.encode())),
    "bz2": lambda at: write(at / "t.csv.bz2", bz2.compress(CSV.encode())),
    "zstd": lambda at: write(at / "t.csv.zst", zstd(CSV.encode())),
    "parquet": lambda at: write_parquet(at / "t.parquet"),
    "parquet named csv": lambda at: write_parquet(at / "t.csv"),
    "parquet in gzip": lambda at: write(
        at / "t.parquet.gz", gzip.compress(write_parquet(at / "a").read_bytes())
    ),
    "arrow file": lambda at: write_arrow(at / "t.arrow"),
    "arrow stream": lambda at: write_arrow(at / "t.arrow", stream=True),
    "feather": lambda at: (
        pyarrow.feather.write_feather(arrow_table(), at / "t.feather", compression="lz4"),
        at / "t.feather",
    )[1],
    "folder of one": lambda at: write(at / "t.csv", CSV).parent,
    "pattern of one": lambda at: str(write(at / "t.csv", CSV).parent / "*.csv"),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES.keys())
def test_every_file_gives_the_same_rows(tmp_path: Path, make: Callable[[Path], object]) -> None:
    assert is_houses(make(tmp_path))


FRAMES: dict[str, Callable[[], object]] = {
    "pyarrow table": arrow_table,
    "record batch": lambda: arrow_table().combine_chunks().to_batches()[0],
    "record batch reader": lambda: arrow_table().to_reader(),
    "pandas": lambda: pd.DataFrame({"id": ["a", "b", "c"], "y": Y, "p": P}),
    "pandas nullable": lambda: pd.DataFrame({"y": Y, "p": P}, dtype="Float64"),
    "pandas over arrow": lambda: pd.DataFrame({"y": Y, "p": P}, dtype="double[pyarrow]"),
    "pandas float32": lambda: pd.DataFrame({"y": Y, "p": P}, dtype="float32"),
    "polars": lambda: pl.DataFrame({"id": ["a", "b", "c"], "y": Y, "p": P}),
    "duckdb": lambda: duckdb.connect().from_arrow(arrow_table()),
    "dict of lists": lambda: {"id": ["a", "b", "c"], "y": Y, "p": P},
    "dict of arrays": lambda: {"y": np.array(Y), "p": np.array(P, dtype=np.float32)},
    "dict of series": lambda: {"y": pd.Series(Y), "p": pl.Series(P)},
    "dict of strided": lambda: {"y": np.repeat(Y, 2)[::2], "p": np.array(P)[:, None]},
    "dict of arrow": lambda: {"y": pa.array(Y), "p": pa.chunked_array([P[:1], P[1:]])},
    "structured array": lambda: np.array(
        list(zip(Y, P, strict=True)), [("y", "<f8"), ("p", ">f8")]
    ),
    "record array": lambda: np.rec.fromarrays([np.array(Y), np.array(P)], names="y,p"),
    "a table": lambda: open_table({"y": Y, "p": P}),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
def test_every_frame_gives_the_same_rows(make: Callable[[], object]) -> None:
    assert is_houses(make())


class OnlyArray:
    """Speaks the array half of Arrow's protocol only."""

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return arrow_table().to_batches()[0].__arrow_c_array__(requested_schema)


class OnlyStream:
    """Speaks the stream half of Arrow's protocol, and nothing else."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return arrow_table().__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("make", [OnlyArray, OnlyStream])
def test_arrow_protocol_is_enough(make: Callable[[], object]) -> None:
    table = open_table(make())
    assert is_houses(table)
    assert is_houses(table)


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        gzip.compress(CSV.encode()),
        zstd(CSV.encode()),
        "parquet",
        "arrow",
        "stream",
    ],
    ids=["csv", "gzip", "zstd", "parquet", "arrow", "stream"],
)
def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes | str) -> None:
    if data == "parquet":
        data = write_parquet(tmp_path / "t").read_bytes()
    elif isinstance(data, str):
        data = write_arrow(tmp_path / "t", stream=data == "stream").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    table = open_table("-")
    assert table.source == "standard input"
    assert is_houses(table)


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    table = open_table("-")
    assert is_houses(table)
    assert "only once" in read_error(table, kind=TableError)


def test_reader_is_read_once() -> None:
    table = open_table(arrow_table().to_reader())
    assert is_houses(table)
    assert "only once" in read_error(table, kind=TableError)


def test_temporary_files_go_with_their_table(tmp_path: Path) -> None:
    path = write(tmp_path / "t.gz", gzip.compress(write_parquet(tmp_path / "a").read_bytes()))
    table = open_table(path)
    assert isinstance(table, ParquetTable)
    copy = table.path
    assert copy.exists()
    del table
    assert not copy.exists()


def test_named_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", f"printf '{CSV}' > {tmp_path}/pipe"]):
        assert is_houses(tmp_path / "pipe")


def test_table_says_what_it_is(tmp_path: Path) -> None:
    parquet = open_table(write_parquet(tmp_path / "t.parquet"))
    assert (parquet.source, parquet.rows, parquet.in_memory) == ("t.parquet", 3, False)
    assert parquet.columns == ("id", "y", "p")
    frame = open_table(pd.DataFrame({"y": Y}))
    assert (frame.source, frame.rows, frame.in_memory) == ("pandas DataFrame", 3, True)
    assert open_table(arrow_table().to_reader()).rows is None
    assert open_table(write_arrow(tmp_path / "t.arrow")).rows == 3


def test_kinds(tmp_path: Path) -> None:
    frame = {
        "n": [1, 2],
        "t": ["a", "b"],
        "b": [True, False],
        "d": [datetime.datetime(2020, 1, 1), None],
        "l": [[1], [2]],
        "o": [None, None],
    }
    kinds = ["number", "text", "boolean", "time", "other", "unknown"]
    table = pa.table(frame)
    pq.write_table(table, tmp_path / "t.parquet")
    sources: list[object] = [frame, table, tmp_path / "t.parquet", pl.DataFrame(frame)]
    sources += [table.to_pandas(), duckdb.connect().from_arrow(table.drop("o"))]
    for source in sources:
        opened = open_table(source)
        expected = dict(zip(frame, kinds, strict=True))
        for name in opened.columns:
            assert opened.kind(name) == expected[name], (opened.source, name)
    assert open_table(write(tmp_path / "t.csv", CSV)).kind("y") == "unknown"
    assert open_table({"x": ["a", 1]}).kind("x") == "other"


EMPTY: dict[str, Callable[[Path], object]] = {
    "parquet": lambda at: (pq.write_table(arrow_table()[:0], at / "t"), at / "t")[1],
    "arrow file": lambda at: (pyarrow.feather.write_feather(arrow_table()[:0], at / "t"), at / "t")[
        1
    ],
    "pyarrow": lambda at: arrow_table()[:0],
    "pandas": lambda at: arrow_table()[:0].to_pandas(),
    "polars": lambda at: pl.DataFrame(arrow_table()[:0]),
    "duckdb": lambda at: duckdb.connect().from_arrow(arrow_table()[:0]),
    "dict": lambda at: {"y": [], "p": np.empty(0)},
}


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY.keys())
def test_no_rows(tmp_path: Path, make: Callable[[Path], object]) -> None:
    assert list(open_table(make(tmp_path)).read(["y", "p"])) == []


# --- several files -----------------------------------------------------------------------------


def test_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", "p,y\n3,4\n")
    write(tmp_path / "a.csv", "y,p,extra\n1,2,x\n")
    write(tmp_path / ".hidden.csv", "nothing")
    write(tmp_path / "_SUCCESS", "")
    write(tmp_path / "README.md", "about")
    table = open_table(tmp_path)
    assert table.source == f"2 files in folder {tmp_path}"
    assert columns(table, "y", "p")["y"].tolist() == [1, 4]
    assert columns(str(tmp_path / "*.csv"), "p")["p"].tolist() == [2, 3]
    assert "b.csv has no column 'extra'" in read_error(table, "extra", kind=TableError)
    assert "row 1 of column 'extra' in" in read_error(tmp_path / "a.csv", "extra")


def test_rows_of_several_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet")
    table = open_table(tmp_path)
    assert table.rows == 6
    assert table.kind("id") == "text"
    assert columns(table, "y")["y"].tolist() == Y + Y


def test_an_error_in_one_of_several_names_it(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", CSV)
    write(tmp_path / "b.csv", "y,p\n1,2\nabc,3\n")
    text = read_error(tmp_path)
    assert "row 2 of column 'y' in" in text
    assert "b.csv is 'abc', not a number" in text


def test_folders_that_are_no_tables(tmp_path: Path) -> None:
    assert "holds no CSV" in message(TableError, lambda: open_table(tmp_path))
    (tmp_path / "day=1").mkdir()
    assert "**/*.parquet" in message(TableError, lambda: open_table(tmp_path))
    write(tmp_path / "a.csv", CSV)
    write_parquet(tmp_path / "a.parquet")
    assert "several formats (csv, parquet)" in message(TableError, lambda: open_table(tmp_path))
    write_parquet(tmp_path / "day=1" / "b.parquet")
    assert is_houses(f"{tmp_path}/*/*.parquet")


# --- numbers of every type ----------------------------------------------------------------------

NUMBERS: dict[str, tuple[Any, list[float]]] = {
    "uint8": (pa.array([0, None, 255], pa.uint8()), [0, np.nan, 255]),
    "int64": (pa.array([-(2**53), None, 2**60]), [-(2.0**53), np.nan, 2.0**60]),
    "uint64": (pa.array([2**63], pa.uint64()), [2.0**63]),
    "numpy int": (np.array([-5, 2**62]), [-5, 2.0**62]),
    "numpy bool": (np.array([True, False]), [1, 0]),
    "numpy half": (np.array([1.5], np.float16), [1.5]),
    "numpy object": (np.array([1, None, 2.5], object), [1, np.nan, 2.5]),
    "masked": (np.ma.masked_array([1, 2], [True, False]), [np.nan, 2]),
    "bool": (pa.array([True, None, False]), [1, np.nan, 0]),
    "half": (pa.array(np.array([1.5], np.float16)), [1.5]),
    "float": (pa.array([0.1], pa.float32()), [float(np.float32(0.1))]),
    "double with nulls": (pa.array([1.5, None, np.inf]), [1.5, np.nan, np.inf]),
    "null": (pa.nulls(2), [np.nan, np.nan]),
    "dictionary": (pa.array([1.5, None, 1.5]).dictionary_encode(), [1.5, np.nan, 1.5]),
    "run lengths": (pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0]), [1, 1, 2]),
    "decimal": (pa.array([Decimal("0.1"), None, Decimal(3)]), [0.1, np.nan, 3]),
    "decimal256": (pa.array([Decimal("0.1")], pa.decimal256(50, 9)), [0.1]),
    "decimals": ([Decimal("-1.10"), Decimal("12.345")], [-1.1, 12.345]),
    "list": ([1, 2.5, None, True], [1, 2.5, np.nan, 1]),
    "tuple": ((1, 2), [1, 2]),
    "category": (pd.Series([1.5, 2.5], dtype="category"), [1.5, 2.5]),
    "Int64": (pd.Series([1, None], dtype="Int64"), [1, np.nan]),
    "boolean": (pd.Series([True, None], dtype="boolean"), [1, np.nan]),
    "objects": (pd.Series([Decimal("0.1"), None], dtype=object), [0.1, np.nan]),
}


@pytest.mark.parametrize(("values", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers_of_every_type(values: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(columns({"y": values}, "y")["y"], expected)
    if isinstance(values, pa.Array):
        np.testing.assert_array_equal(columns(pa.table({"y": values}), "y")["y"], expected)


def test_torch_tensor() -> None:
    import torch

    assert columns({"y": torch.tensor([1.5, 2.5])}, "y")["y"].tolist() == [1.5, 2.5]


@given(st.lists(st.decimals(-(10**15), 10**15, places=4), min_size=1), st.integers(0, 3))
def test_decimals_are_the_nearest_double(values: list[Decimal], start: int) -> None:
    array = pa.array(values, pa.decimal128(30, 4))[start:]
    assert columns({"y": array}, "y")["y"].tolist() == [float(value) for value in values[start:]]


BIG = 2**53 + 1


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, BIG]),
        pa.array([None, -BIG]),
        pa.array([1, 2**64 - 1], pa.uint64()),
        np.array([1, BIG]),
        [1, BIG],
        pa.array([1, BIG]).dictionary_encode(),
    ],
)
def test_integers_that_would_change_are_refused(values: Any) -> None:
    text = read_error({"y": values}, "y")
    assert "row 2 of column 'y' in dict of columns is the integer" in text
    assert "2**53" in text


@pytest.mark.parametrize("word", [str(BIG), f"-{BIG}", f"+{BIG} ", "1" + "0" * 400, "9" * 5000])
def test_integers_in_csv_that_would_change_are_refused(tmp_path: Path, word: str) -> None:
    text = read_error(write(tmp_path / "t.csv", f"y,p\n1,2\n{word},2\n"))
    assert "row 2 of column 'y' in t.csv is the integer" in text


def test_large_numbers_in_csv_that_are_exact(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", f"y,p\n{2**60},1e300\n-inf,Infinity\n")
    read = columns(path, "y", "p")
    assert read["y"].tolist() == [2.0**60, -np.inf]
    assert read["p"].tolist() == [1e300, np.inf]


NOT_NUMBERS: dict[str, tuple[Any, str]] = {
    "text": (["a", "b"], "holds string (its values begin 'a', 'b'), not numbers"),
    "dictionary": (pa.array(["a"]).dictionary_encode(), "holds string"),
    "time": ([datetime.datetime(2020, 1, 1)], "turn it into a number first"),
    "date": (np.array(["2020-01-01"], "M8[D]"), "turn it into a number first"),
    "duration": (np.array([5], "m8[ns]"), "turn it into a number first"),
    "list": ([[1.0, 2.0]], "several outputs are several columns"),
    "struct": ([{"a": 1}], "not numbers"),
    "mixed": ([1, "a"], "numbers of one type"),
    "huge": ([10**30], "numbers of one type"),
    "object": ([object()], "numbers of one type"),
    "complex": (np.array([1j]), "numbers of one type"),
    "matrix": (np.zeros((2, 3)), "shape (2, 3)"),
    "numpy text": (np.array(["a"]), "holds string"),
}


@pytest.mark.parametrize(("values", "expected"), NOT_NUMBERS.values(), ids=NOT_NUMBERS.keys())
def test_what_is_no_number_is_refused(values: Any, expected: str) -> None:
    text = read_error({"y": values}, "y")
    assert expected in text
    assert "column 'y' of dict of columns" in text


def test_text_in_files_and_frames_is_refused(tmp_path: Path) -> None:
    frames: list[object] = [arrow_table(), arrow_table().to_pandas(), pl.DataFrame(arrow_table())]
    frames += [write_parquet(tmp_path / "t.parquet"), write_arrow(tmp_path / "t.arrow")]
    for frame in frames:
        assert "column 'id' of" in read_error(frame, "id")


def test_bystanders_do_not_matter() -> None:
    mixed = pd.DataFrame({"y": Y, "mixed": [1, "a", object()], "p": P})
    assert is_houses(mixed)
    assert "'mixed' of pandas DataFrame does not hold numbers" in read_error(mixed, "mixed")
    assert is_houses(pl.DataFrame({"y": Y, "p": P, "o": pl.Series([object()] * 3)}))
    assert is_houses({"y": Y, "p": P, "short": [1]})


def test_columns_that_differ_in_length() -> None:
    text = read_error({"y": [1, 2], "p": [1]}, kind=TableError)
    assert "'y' has 2, 'p' has 1 rows" in text


def test_unnamed_columns_of_pandas() -> None:
    assert columns(pd.DataFrame(np.eye(2)), "0")["0"].tolist() == [1, 0]


def test_no_copy_is_made_where_none_is_needed() -> None:
    values = np.arange(3.0)
    for source in ({"y": values}, pa.table({"y": values}), pl.DataFrame({"y": values})):
        (batch,) = open_table(source).read(["y"])
        arrow = (
            pa.table(source)["y"].chunk(0).to_numpy() if not isinstance(source, dict) else values
        )
        assert np.shares_memory(batch.columns["y"], arrow)


def test_small_batches_are_joined() -> None:
    table = pa.Table.from_batches([pa.record_batch({"y": [float(i)]}) for i in range(1000)])
    (batch,) = open_table(table).read(["y"])
    assert batch.columns["y"].tolist() == list(range(1000))


def test_large_tables_come_in_slices() -> None:
    values = np.arange(2_500_000)
    batches = list(open_table({"y": values}).read(["y"]))
    check_batches(batches)
    assert len(batches) == 3
    assert batches[-1].progress == 1.0


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_words(tmp_path: Path) -> None:
    words = [
        "",
        " ",
        "NA",
        "n/a",
        "NaN",
        "null",
        "None",
        " 1.5 ",
        "TRUE",
        "false",
        "+2",
        "1e3",
        "-inf",
    ]
    path = write(tmp_path / "t.csv", "i,y\n" + "".join(f"0,{word}\n" for word in words))
    expected = [np.nan] * 7 + [1.5, 1, 0, 2, 1000, -np.inf]
    np.testing.assert_array_equal(columns(path, "y")["y"], expected)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("abc", "not a number"),
        ('"1,234.5"', "thousands"),
        ('"3,14"', "decimal comma"),
        ("12%", "percentages"),
        ("$5", "currency"),
        ("0x10", "not a number"),
        ("1_000", "thousands"),
        ("2020-01-01", "not a number"),
    ],
)
def test_csv_words_that_are_no_numbers(tmp_path: Path, word: str, hint: str) -> None:
    path = write(tmp_path / "t.csv", f"y,p\n1,1\n2,2\n{word},3\n4,x\n")
    text = read_error(path)
    assert f"row 3 of column 'y' in t.csv is {word.strip(chr(34))!r}, not a number" in text
    assert hint in text


def test_csv_types_are_not_guessed_from_the_first_rows(tmp_path: Path) -> None:
    rows = ["1,2"] * 600_000 + ["1.5,NA", "1,abc"]
    path = write(tmp_path / "t.csv", "y,p\n" + "\n".join(rows))
    assert columns(path, "y")["y"][-2:].tolist() == [1.5, 1]
    assert "row 600,002 of column 'p' in t.csv is 'abc'" in read_error(path)


@pytest.mark.parametrize("text", ["y,p", "y,p\n", "y,p\r\n\n"])
def test_header_only(tmp_path: Path, text: str) -> None:
    table = open_table(write(tmp_path / "t.csv", text))
    assert table.rows == 0
    assert list(table.read(["y", "p"])) == []


def test_blank_after_header(tmp_path: Path) -> None:
    assert list(open_table(write(tmp_path / "t.csv", "y,p\n" + "\n" * 300_000)).read(["y"])) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        ("y,p\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"y,\xff\n1,2\n", "not UTF-8"),
        (b"y\0,p\n", "binary"),
        (b"PK\x03\x04...", "Excel"),
        (b'{"y": 1}', "JSON"),
        (b"yy," * 100_000, "longer than"),
        (b'"' + b"y" * 200_000, "cannot be read as CSV"),
    ],
)
def test_files_that_are_no_csv(tmp_path: Path, data: bytes, expected: str) -> None:
    path = write(tmp_path / "t.csv", data)
    text = message(TableError, lambda: open_table(path))
    assert expected in text
    assert "t.csv" in text


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (b"1,2\n3\n", "row 2 of t.csv has 1 fields where the header has 2: '3'; is the file cut"),
        (b"1,2\n3,4,5\n", "row 2 of t.csv has 3 fields where the header has 2"),
        (b"1,2\n\xff,4\n", "not UTF-8"),
        (b"1,2\n" + b"3" * 3_000_000 + b",4\n5,6\n", "row longer than"),
    ],
)
def test_damaged_rows(tmp_path: Path, rows: bytes, expected: str) -> None:
    assert expected in read_error(write(tmp_path / "t.csv", b"y,p\n" + rows), kind=TableError)


# --- columns and files that are not there ---------------------------------------------------------


def test_missing_columns() -> None:
    table = open_table({"y_true": [1], "y_pred": [1]})
    text = message(TableError, lambda: table.read(["y_tru"]))
    assert "no column 'y_tru'; did you mean 'y_true'?" in text
    assert "'y_true', 'y_pred'" in text
    assert "did you mean" not in message(TableError, lambda: table.read(["zzz"]))


@pytest.mark.parametrize(
    "make",
    [
        lambda at: write(at / "t.csv", "y,y,p\n1,2,3\n"),
        lambda at: pa.Table.from_arrays([pa.array([i]) for i in (1, 2, 3)], ["y", "y", "p"]),
        lambda at: pd.DataFrame([[1, 2, 3]], columns=["y", "y", "p"]),
    ],
)
def test_columns_that_are_there_twice(tmp_path: Path, make: Callable[[Path], object]) -> None:
    table = open_table(make(tmp_path))
    assert "2 columns named 'y'; rename" in message(TableError, lambda: table.read(["y"]))
    assert columns(table, "p")["p"].tolist() == [3]


def test_names_of_every_kind(tmp_path: Path) -> None:
    names = ["a.b", "a", "x,y", 'quo"te', "^y$", "*", "", "é"]
    data = {name: [float(i)] for i, name in enumerate(names)}
    table = pa.table(data)
    pq.write_table(table, tmp_path / "t.parquet")
    sources: list[object] = [data, table, table.to_pandas(), pl.DataFrame(data)]
    table.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    sources += [tmp_path / "t.parquet", tmp_path / "t.csv"]
    for source in sources:
        for i, name in enumerate(names):
            assert columns(source, name)[name].tolist() == [i]
    sql = duckdb.connect().from_arrow(table.drop(""))
    assert columns(sql, 'quo"te', "x,y")["x,y"].tolist() == [2]


def test_missing_files(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv", CSV)
    text = message(TableError, lambda: open_table(tmp_path / "score.csv"))
    assert "did you mean 'scores.csv'?" in text
    assert "nor a folder" in message(TableError, lambda: open_table(tmp_path / "no" / "a.csv"))
    assert "holds no" in message(TableError, lambda: open_table(str(tmp_path / "*.parquet")))
    assert "download" in message(TableError, lambda: open_table("https://example.org/a.csv"))


def test_brackets_in_a_name_are_no_pattern(tmp_path: Path) -> None:
    assert is_houses(str(write(tmp_path / "a[1].csv", CSV)))


class DaskLike:
    """Stands in for a library that is not installed."""

    __module__ = "dask.dataframe.core"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (pl.LazyFrame({"y": [1]}), "`.collect()`"),
        (DaskLike(), "`.compute()`"),
        (object(), "`__arrow_c_stream__`"),
        (None, "`__arrow_c_stream__`"),
        ([1, 2], "`__arrow_c_stream__`"),
        (np.zeros((3, 2)), "no named columns"),
        (pl.Series([1]), "named columns"),
        (pa.chunked_array([[1]]), "named columns"),
        (pa.array([1.0]), "named columns"),
    ],
)
def test_what_is_no_table(source: object, expected: str) -> None:
    assert expected in message(TableError, lambda: open_table(source))


# --- damaged files --------------------------------------------------------------------------------


def rows_or_error(path: Path) -> list[tuple[float, float]] | None:
    try:
        read = columns(path, "y", "p")
    except OffbyError:
        return None
    return list(zip(read["y"].tolist(), read["p"].tolist(), strict=True))


BINARY: dict[str, Callable[[Path], Path]] = {
    "parquet": lambda at: write_parquet(at / "a.parquet"),
    "arrow": lambda at: write_arrow(at / "a.arrow", rows=1),
    "stream": lambda at: write_arrow(at / "a.arrow", stream=True, rows=1),
    "gzip": lambda at: write(at / "a.csv.gz", gzip.compress(CSV.encode())),
    "bz2": lambda at: write(at / "a.csv.bz2", bz2.compress(CSV.encode())),
    "zstd": lambda at: write(at / "a.csv.zst", zstd(CSV.encode())),
    "arrow in gzip": lambda at: write(
        at / "a.arrow.gz", gzip.compress(write_arrow(at / "b").read_bytes())
    ),
}


@pytest.mark.parametrize("make", BINARY.values(), ids=BINARY.keys())
def test_a_cut_binary_file_is_always_noticed(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:cut])
        assert rows_or_error(path) is None, cut
    path.write_bytes(whole)
    assert rows_or_error(path) == list(zip(Y, P, strict=True))


def test_a_cut_csv_file_gives_right_rows_or_an_error(tmp_path: Path) -> None:
    rows = list(zip(Y, P, strict=True))
    for cut in range(len(CSV)):
        read = rows_or_error(write(tmp_path / "a.csv", CSV[:cut]))
        whole = max(CSV[:cut].count("\n") - 1, 0)
        # a last row cut within its last number cannot be told from a whole one
        assert read is None or read[:whole] == rows[:whole], cut
        assert read is None or len(read) <= whole + 1, cut


def test_a_cut_says_so(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-5])
    assert "a.parquet is cut short or damaged" in read_error(path, kind=TableError)
    rows = "".join(f"{i},{i / 7}\n" for i in range(100_000))
    path = write(tmp_path / "a.csv.gz", gzip.compress(f"y,p\n{rows}".encode())[:-9])
    assert "a.csv.gz is cut short or damaged" in read_error(path, kind=TableError)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60) | st.text('y,p1.5 \n\r\t;"é', max_size=60).map(str.encode),
    st.sampled_from(["csv", "parquet", "arrow", "csv.gz", "tsv"]),
)
def test_any_bytes_give_rows_or_an_error(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", data)
    try:
        table = open_table(path)
        for name in dict.fromkeys(table.columns):
            if table.columns.count(name) == 1:
                list(table.read([name]))
    except OffbyError:
        pass


# --- the same bits --------------------------------------------------------------------------------

DOUBLES = st.lists(st.floats(width=64), min_size=1, max_size=40)


def same_bits(read: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Compare bits; a NaN is a NaN, whatever its payload."""
    nan = np.isnan(values)
    return bool(
        np.array_equal(np.isnan(read), nan)
        and np.array_equal(read[~nan].view(np.int64), values[~nan].view(np.int64))
    )


def save_csv(values: NDArray[np.float64], path: Path) -> None:
    write(path, "i,y\n" + "".join(f"{i},{v!r}\n" for i, v in enumerate(values.tolist())))


def save_parquet(values: NDArray[np.float64], path: Path) -> None:
    pq.write_table(pa.table({"y": values}), path)


def save_ipc(values: NDArray[np.float64], path: Path) -> None:
    with pa.ipc.new_file(str(path), pa.schema({"y": pa.float64()})) as writer:
        writer.write_table(pa.table({"y": values}))


@pytest.mark.parametrize("save", [save_csv, save_parquet, save_ipc])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOUBLES)
def test_any_doubles_survive_bit_for_bit(
    tmp_path: Path, save: Callable[[NDArray[np.float64], Path], None], values: list[float]
) -> None:
    array = np.array(values)
    save(array, tmp_path / "t")
    assert same_bits(columns(tmp_path / "t", "y")["y"], array)


# --- resources ------------------------------------------------------------------------------------


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


@pytest.fixture
def no_leak() -> Iterator[None]:
    before = len(open_files())
    yield
    assert len(open_files()) == before


@pytest.mark.usefixtures("no_leak")
@pytest.mark.parametrize("make", BINARY.values(), ids=BINARY.keys())
def test_files_are_closed_when_reading_is_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path]
) -> None:
    monkeypatch.setattr("offby.tables.table.LEAST_ROWS", 1)
    batches = open_table(make(tmp_path)).read(["y"])
    next(batches)
    batches.close()


@pytest.mark.usefixtures("no_leak")
def test_a_long_csv_is_closed_when_reading_is_abandoned(tmp_path: Path) -> None:
    batches = open_table(write(tmp_path / "t.csv", "y,p\n" + "1.25,2.5\n" * 600_000)).read(["y"])
    assert next(batches).rows < 600_000
    batches.close()


@pytest.mark.usefixtures("no_leak")
def test_files_are_closed_after_an_error(tmp_path: Path) -> None:
    for name in ("id", "nothing"):
        read_error(write_parquet(tmp_path / "a.parquet"), name, kind=OffbyError)
        read_error(write(tmp_path / "a.csv", CSV), name, kind=OffbyError)


def test_importing_tables_is_light() -> None:
    code = "import offby.tables, sys; print([m for m in sys.modules if m.startswith('pyarrow.')])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert not any(name in loaded for name in ("parquet", "dataset", "csv", "compute"))


# --- finding columns ------------------------------------------------------------------------------


def found(*names: str, **told: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen = find_columns(open_table({name: [1.0] for name in names}), **told)
    return chosen.true, chosen.pred


@pytest.mark.parametrize(
    ("names", "true", "pred"),
    [
        (("y_true", "y_pred"), "y_true", "y_pred"),
        (("id", "Actual", "Predicted"), "Actual", "Predicted"),
        (("prediction", "target", "age"), "target", "prediction"),
        (("y", "yhat"), "y", "yhat"),
        (("label", "score"), "label", "score"),
        (("y", "y_true", "y_pred"), "y_true", "y_pred"),
        (("price", "price_pred"), "price", "price_pred"),
        (("price", "pred_price", "rooms"), "price", "pred_price"),
        (("price", "predicted_price"), "price", "predicted_price"),
        (("actual_price", "predicted_price"), "actual_price", "predicted_price"),
        (("price", "price_true", "price_pred"), "price_true", "price_pred"),
        (("Y True", "Y-Pred"), "Y True", "Y-Pred"),
        (("label", "y_true", "y_pred", "score"), "y_true", "y_pred"),
    ],
)
def test_usual_names(names: tuple[str, ...], true: str, pred: str) -> None:
    assert found(*names) == ((true,), (pred,))


@pytest.mark.parametrize(
    "names",
    [
        ("a", "b"),
        ("y_true",),
        ("y_true", "a"),
        ("y_true", "y_pred", "price", "price_pred"),
        ("y_true", "y_pred", "prediction"),
        ("a", "a_pred", "b", "b_pred"),
        ("x_pred", "y_pred"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(names: tuple[str, ...]) -> None:
    text = message(TableError, lambda: found(*names))
    for part in (*names, "--true", "--pred", "true=", "pred="):
        assert part in text


def test_a_missing_header_is_hinted_at() -> None:
    assert "header missing?" in message(TableError, lambda: found("1.5", "2"))


def test_half_told() -> None:
    names = ("price", "price_pred", "y_pred", "rent")
    assert found(*names, true="price") == (("price",), ("price_pred",))
    assert found(*names, true="rent") == (("rent",), ("y_pred",))
    assert found(*names, pred="price_pred") == (("price",), ("price_pred",))
    assert found("a", "a_hat", "b", "b_hat", true="a,b") == (("a", "b"), ("a_hat", "b_hat"))
    assert "belongs to 'y_pred'" in message(TableError, lambda: found("a", "y_pred", pred="y_pred"))


def test_told() -> None:
    assert found("a", "b", true="a", pred="b") == (("a",), ("b",))
    assert found("a", "b", "c", "d", true="a, b", pred=["c", "d"]) == (("a", "b"), ("c", "d"))
    assert found("a,b", "c", true="a,b", pred="c") == (("a,b",), ("c",))
    chosen = find_columns(open_table({"y": [1], "yhat": [1], "w": [2]}), weight="w")
    assert chosen.weight == "w"
    assert chosen.names == ("y", "yhat", "w")
    assert chosen.how == "true is 'y' and pred is 'yhat', found by their names, weighted by 'w'."


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"true": "a,b", "pred": "c"}, "2 true columns ('a', 'b') against 1 predicted ('c')"),
        ({"true": "a", "pred": "a"}, "both true and pred"),
        ({"true": "a,a", "pred": "b,c"}, "'a' is named twice"),
        ({"true": "A", "pred": "b"}, "did you mean 'a'?"),
        ({"true": "a", "pred": "b", "weight": "w"}, "no column 'w'"),
    ],
)
def test_told_wrongly(told: dict[str, str], expected: str) -> None:
    assert expected in message(TableError, lambda: found("a", "b", "c", **told))
