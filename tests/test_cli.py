"""`offby measure`: every option, and one line for everything that goes wrong."""

import gzip
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offby.drawing.numbers import number

HOUSES = "examples/houses.csv"
FLIGHTS = ("examples/flights.parquet", "--true", "arr_delay", "--pred", "predicted")
FIRST_LINE = "off by 13,333 on average (MAE), 14,142 RMSE, on 3 rows"
CSV = b"y_true,y_pred,w,other\n1,2,1,a\n2,4,0,b\n3,3,1,c\n"


def test_the_report(offby_command):
    ran = offby_command("measure", HOUSES)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == FIRST_LINE
    assert lines[1] == "true is 'actual' and pred is 'predicted', found by their names."
    named = [line.split()[0] for line in lines[5:14] if not line.startswith(" ")]
    assert named == ["mae", "rmse", "mse", "bias", "r2", "median_absolute_error", "max_error"]
    assert "• row 3 (predicted 300,000 where 320,000 came) alone owns 67 % of the MSE" in lines
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)


def test_real_flights(offby_command):
    out = offby_command("measure", *FLIGHTS).out
    assert out.startswith("off by 22.123 on average (MAE), 36.572 RMSE, on 53,991 rows\n")
    assert "MAE describes this table better than RMSE" in out


def test_json(offby_command):
    ran = offby_command("measure", HOUSES, "--json")
    found = json.loads(ran.out, parse_constant=pytest.fail)
    assert list(found) == ["rows", "dropped", "source", "columns", "task", "measures", "findings",
                           "interventions"]  # fmt: skip
    assert found["source"] == "houses.csv"
    assert found["measures"]["mse"]["value"] == 200e6


def test_measures_and_confidence(offby_command):
    own = "late = where(r < 0, 5*abs(r), abs(r))"
    ran = offby_command("measure", HOUSES, "--measures", f"mae,huber:1.345,{own}", "--confidence",
                        "0.5", "--json")  # fmt: skip
    found = json.loads(ran.out)["measures"]
    assert list(found) == ["mae", "huber:1.345", "late"]
    assert found["late"]["value"] == pytest.approx(160_000 / 3)
    text = offby_command("measure", HOUSES, "--confidence", "0.999").out
    assert "99.9 % interval" in text


def test_columns_weights_and_dropped_rows(offby_command, tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes(CSV + b",3,1,d\n")
    ran = offby_command("measure", table, "--weight", "w", "--nan", "drop")
    assert "on 2 rows (1 dropped)" in ran.out
    assert "found by their names, weighted by 'w'" in ran.out
    ran = offby_command("measure", table, "--true", "y_pred", "--pred", "w", "--measures", "bias")
    assert ran.out.startswith("bias -2.25, on 4 rows\ntrue is 'y_pred' and pred is 'w', as told.")
    table.write_bytes(b"a,b,a_pred,b_pred\n1,2,1,3\n2,4,2,5\n")
    both = offby_command("measure", table, "--true", "a,b", "--pred", "a_pred,b_pred")
    assert "\nb: off by 1 on average" in both.out
    assert "Average over the outputs" in both.out


def test_bootstrap(offby_command):
    delta, bootstrap = (
        json.loads(offby_command("measure", HOUSES, "--json", "--interval", kind).out)["measures"]
        for kind in ("delta", "bootstrap")
    )
    assert delta["mae"]["value"] == bootstrap["mae"]["value"]
    assert delta["mae"]["low"] < bootstrap["mae"]["low"]


def test_html(offby_command, tmp_path):
    page = tmp_path / "page.html"
    ran = offby_command("measure", HOUSES, "--html", page)
    assert ran.out.endswith(f"\n\nwrote {page}\n")
    assert "13,333" in page.read_text(encoding="utf-8")
    quiet = offby_command("measure", HOUSES, "--html", page, "--json")
    assert json.loads(quiet.out)["rows"] == 3


@pytest.mark.parametrize("data", [CSV, gzip.compress(CSV)], ids=["plain", "gzip"])
def test_standard_input(offby_command, data):
    ran = offby_command("measure", "-", stdin=data)
    assert ran.out.startswith("off by 1 on average (MAE), 1.291 RMSE, on 3 rows\n")


def test_globs_and_folders(offby_command, tmp_path):
    for part in ("a", "b"):
        shutil.copy(HOUSES, tmp_path / f"{part}.csv")
    for given in (tmp_path, tmp_path / "*.csv"):
        assert ", on 6 rows" in offby_command("measure", given).out


def test_an_empty_table_is_measured_as_such(offby_command):
    ran = offby_command("measure", "-", stdin=b"y_true,y_pred\n")
    assert ran.code == 0
    assert ran.out.startswith("mae is undefined on 0 rows: there are no rows\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Tables that are wrong, each in its way."""
    (tmp_path / "empty.csv").touch()
    (tmp_path / "houses.csv").write_bytes(Path(HOUSES).read_bytes())
    (tmp_path / "junk.bin").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "junk.parquet").write_bytes(b"PAR1" + bytes(range(256)) * 9)
    (tmp_path / "text.csv").write_text("y_true,y_pred,name\n1,2,a\n2,x,b\n")
    (tmp_path / "gap.csv").write_text("actual,predicted\n1,2\n2,\n")
    (tmp_path / "unknown.csv").write_text("a,b\n1,2\n")
    (tmp_path / "negative.csv").write_text("y_true,y_pred,w\n1,2,1\n2,3,-1\n")
    pq.write_table(pa.table({"y_true": [1.0] * 999, "y_pred": [2.0] * 999}), tmp_path / "t.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:-20])
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "notes.txt").write_text("no table")
    return tmp_path


REFUSED = {
    "no such file": (["house.csv"], "there is no file house.csv; did you mean 'houses.csv'?"),
    "no such folder": (["no/t.csv"], "nor a folder no; check the path"),
    "an address": (["https://example.org/t.csv"], "is an address; download it first"),
    "no table given": ([], "TABLE requires an argument"),
    "empty": (["empty.csv"], "empty.csv is empty; a table was expected"),
    "junk": (["junk.bin"], "junk.bin"),
    "junk named parquet": (["junk.parquet"], "junk.parquet is cut short or damaged"),
    "cut": (["cut.parquet"], "cut.parquet is cut short or damaged"),
    "folder without tables": (["bare"], "holds no CSV, Parquet or Arrow files"),
    "pattern without files": (["*.feather"], "*.feather holds no CSV, Parquet or Arrow files"),
    "unknown column": (["houses.csv", "--true", "x"], "has no column 'x'; its columns are 'house'"),
    "near column": (["houses.csv", "--true", "actuals"], "did you mean 'actual'?"),
    "text column": (["text.csv", "--true", "y_true", "--pred", "name"], "'a', not a number"),
    "a text value": (["text.csv"], "row 2 of column 'y_pred' in text.csv is 'x', not a number"),
    "missing value": (["gap.csv"], "column 'predicted' has 1 value that is missing"),
    "which columns": (["unknown.csv"], "say which: --true COLUMN --pred COLUMN"),
    "negative weight": (["negative.csv", "--weight", "w"], "column 'w' is -1.0 in row 2"),
    "unknown measure": (["houses.csv", "--measures", "rmze"], "did you mean rmse or rmsle?"),
    "bad parameter": (["houses.csv", "--measures", "pinball:2"], "tau is 2.0; it must be"),
    "unsafe formula": (["houses.csv", "--measures", "__import__('os')"], "__import__"),
    "bad gate": (["houses.csv", "--require", "mae"], "--require 'mae' cannot be read"),
    "bad interval": (["houses.csv", "--interval", "x"], 'Choose from: "delta", "bootstrap"'),
    "bad policy": (["houses.csv", "--nan", "x"], 'Choose from: "raise", "drop"'),
    "confidence no number": (["houses.csv", "--confidence", "x"], "--confidence"),
    "confidence too large": (["houses.csv", "--confidence", "95"], "a number between 0 and 1"),
    "unknown option": (["houses.csv", "--zzzz"], "Unknown option: --zzzz; see offby --help"),
    "page in no folder": (["houses.csv", "--html", "no/p.html"], "cannot open no/p.html: No such"),
    "page is a folder": (["houses.csv", "--html", "bare"], "cannot open bare: Is a directory"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_goes_wrong_is_said_in_one_line(offby_command, folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    assert said in offby_command("measure", *arguments).error


def test_a_missing_file_lists_a_few_of_its_neighbours(offby_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k in range(9):
        (tmp_path / f"{k}.csv").touch()
    (tmp_path / ".hidden").touch()
    error = offby_command("measure", "predictions.parquet").error
    assert error.endswith("holds '0.csv', '1.csv', '2.csv', '3.csv', '4.csv' and 4 more\n")


def test_an_unknown_command(offby_command):
    assert 'Unknown command "mesure". Did you mean "measure"?' in offby_command("mesure").error


def test_help(offby_command):
    top = offby_command("--help")
    assert top.code == 0
    assert "Measure how far off predictions are, and how sure that is." in " ".join(
        top.out.replace("│", " ").split()
    )
    options = offby_command("measure", "--help").out
    told = "TABLE true pred weight measures confidence interval nan json html fail-if require"
    for option in told.split():
        assert option in options
    assert offby_command().out == top.out


def test_version(offby_command):
    import offby

    assert offby_command("--version").out == f"{offby.__version__}\n"


def test_completion_can_be_installed(offby_command, tmp_path):
    script = tmp_path / "offby.bash"
    ran = offby_command("--install-completion", "--shell", "bash", "--output", script)
    assert ran.code == 0
    assert "--fail-if" in script.read_text()


@pytest.mark.parametrize("width", [24, 40, 66, 80, 120, 200])
def test_terminals_of_every_width(offby_command, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = offby_command("measure", HOUSES).out.splitlines()
    assert max(map(len, lines)) <= width
    assert "r2" in " ".join(lines)
    assert number(0.9072164948453608, 5) in " ".join(lines)
