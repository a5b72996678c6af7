"""Totals are an algebra: however the rows are cut, ordered, merged or stored, the same report."""

import pickletools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import offby
from offby import DataError, Mean, Measure, MeasureError, Totals, Variance, p, r, where, y

NAMES = offby.measure([1.0], [1.0]).measures.keys() | {
    "mape", "huber:1.345", "pinball:0.9", "d2_absolute", "explained_variance",
    "squared_error_share:0.01",
}  # fmt: skip
OWN = Measure("own", Mean(where(r < 0, 5 * abs(r), abs(r))) / Variance(y - p / 3), "lower", "1")
SIZES = st.floats(min_value=-1e9, max_value=1e9).map(lambda x: x if abs(x) > 1e-9 else 1.0)
WEIGHTS = st.sampled_from([0.0, 0.25, 1.0, 3.0, 1e-3])


@st.composite
def tables(draw):
    rows = draw(st.integers(2, 40))
    columns = [
        draw(st.lists(kind, min_size=rows, max_size=rows)) for kind in (SIZES, SIZES, WEIGHTS)
    ]
    truth, prediction, weights = map(np.array, columns)
    return [truth, prediction, weights if draw(st.booleans()) else None]


def bits(report):
    return {
        name: m.undefined or (struct.pack("d", m.value), m.bracket)
        for name, m in report.measures.items()
    }


def part(table, rows):
    return [None if column is None else column[rows] for column in table]


def totals(table=None, **options):
    new = Totals([*NAMES, OWN], **options)
    return new if table is None else new.update(*table)


def without_places(found):
    """Reasons name their first row, which moves when rows do."""
    return {k: v.partition(" (")[0] if isinstance(v, str) else v for k, v in found.items()}


@settings(max_examples=60)
@given(tables(), st.data())
def test_chunks_merges_and_orders_give_the_same_bits(table, data):
    rows = len(table[0])
    whole = bits(totals(table).report())
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))
    slices = [slice(a, b) for a, b in zip([0, *cuts], [*cuts, rows], strict=True)]
    chunked = totals()
    for rows_of in slices:
        chunked.update(*part(table, rows_of))
    assert bits(chunked.report()) == whole

    trees = [totals(part(table, rows_of)) for rows_of in slices]
    while len(trees) > 1:
        at = data.draw(st.integers(0, len(trees) - 2))
        trees[at : at + 2] = [trees[at].merge(trees[at + 1])]
    assert bits(trees[0].report()) == whole

    order = data.draw(st.permutations(range(rows)))
    permuted = bits(totals(part(table, list(order))).report())
    assert without_places(permuted) == without_places(whole)


@settings(max_examples=30)
@given(tables())
def test_stored_and_read_again(table):
    before = totals(table)
    after = Totals.from_bytes(before.to_bytes())
    assert after.to_bytes() == before.to_bytes()
    assert after.report().to_json() == before.report().to_json()
    assert bits(after.merge(totals(table)).report()) == bits(before.merge(totals(table)).report())


TABLE = [np.array([1.0, 2, 4, 8]), np.array([1.5, 2, 3, 9])]


def test_what_is_stored_is_numbers_and_names_not_code():
    stored = totals(TABLE, nan="drop", confidence=0.9).to_bytes()
    assert stored.startswith(b"offby totals ")
    with pytest.raises(ValueError, match=r"opcode|pickle"):
        list(pickletools.genops(stored))
    again = Totals.from_bytes(stored)
    assert (again.nan, again.confidence) == ("drop", 0.9)
    assert {m.name for m in again.asked} == {*NAMES, "own"}


def test_every_damage_is_a_data_error():
    stored = totals(TABLE).to_bytes()
    for at in range(0, len(stored), 7):
        damaged = bytearray(stored)
        damaged[at] ^= 1 + at % 255
        with pytest.raises(DataError):
            Totals.from_bytes(bytes(damaged))
    for length in (0, 1, 12, 13, 14, 20, 46, 60, len(stored) // 2, len(stored) - 1):
        with pytest.raises(DataError):
            Totals.from_bytes(stored[:length])
    with pytest.raises(DataError):
        Totals.from_bytes(stored + b"\0")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not offby totals"),
        (b"PK\x03\x04 some archive", "not offby totals: they start with"),
        ("text", "a str arrived; expected the bytes"),
        (None, "a NoneType arrived"),
    ],
)
def test_foreign_bytes(data, said):
    with pytest.raises(DataError, match=said):
        Totals.from_bytes(data)


def test_another_version_says_so():
    stored = bytearray(totals(TABLE).to_bytes())
    stored[13] += 1
    with pytest.raises(DataError, match=r"of version \d+; this offby reads version"):
        Totals.from_bytes(bytes(stored))


def test_totals_of_unlike_measures_do_not_merge():
    for a, b in [("huber:1", "huber:2"), ("mae", "mae,mape"), ("mae", "mse")]:
        with pytest.raises(MeasureError, match=f"totals of {a}.* cannot be merged with"):
            Totals(a).update(*TABLE).merge(Totals(b).update(*TABLE))
    same_name = [Totals(Measure("cost", formula)) for formula in (Mean(r), Mean(r**2))]
    with pytest.raises(MeasureError, match="cannot be merged"):
        same_name[0].merge(same_name[1])


def test_the_order_of_asking_does_not_matter():
    one, other = Totals("huber:2,mape").update(*TABLE), Totals("mape,huber:2").update(*TABLE)
    assert one.merge(other).report().rows == 8


def test_unlike_outputs_and_weights_do_not_mix():
    wide = np.ones((4, 2))
    with pytest.raises(DataError, match="2 outputs where earlier rows had 1"):
        Totals().update(*TABLE).update(wide, wide)
    with pytest.raises(DataError, match="1 outputs cannot be merged with totals of 2"):
        Totals().update(*TABLE).merge(Totals().update(wide, wide))
    weighted = Totals().update(*TABLE, [1, 2, 1, 1])
    for act in (lambda: weighted.update(*TABLE), lambda: weighted.merge(Totals().update(*TABLE))):
        with pytest.raises(DataError, match="without weights arrived where earlier rows came with"):
            act()
    assert weighted.report().rows == 4


BAD = {
    "nan": ([1, np.nan], [1, 2], None),
    "inf in a prediction": ([1, 2], [1, np.inf], None),
    "shape": ([1, 2], [1], None),
    "text": (["a"], ["b"], None),
    "weight": ([1.0, 2], [1, 2], [1, -1]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("weighted", [False, True])
def test_an_update_that_fails_adds_nothing(bad, weighted):
    weights = np.ones(4) if weighted else None
    fine = totals([*TABLE, weights])
    before = fine.to_bytes()
    with pytest.raises(DataError):
        fine.update(*bad)
    assert fine.to_bytes() == before
    fresh = totals()
    with pytest.raises(DataError):
        fresh.update(*bad)
    assert bits(fresh.update(*TABLE, weights).report()) == bits(fine.report())


def test_a_failure_in_the_second_output_adds_nothing_to_the_first():
    truth = np.array([[1.0, 2], [3, 4]])
    both = Totals().update(truth, truth + 1)
    before = both.to_bytes()
    with pytest.raises(DataError, match="1 value"):
        both.update(truth, np.array([[1, 2], [3, np.nan]]))
    assert both.to_bytes() == before


def test_empty_totals_are_neutral():
    whole = totals(TABLE).to_bytes()
    assert totals().merge(totals(TABLE)).to_bytes() == whole
    assert totals(TABLE).merge(totals()).to_bytes() == whole
    assert totals().merge(totals()).report().rows == 0
    none = totals([np.zeros(0), np.zeros(0)])
    assert none.merge(totals([*TABLE, np.ones(4)])).report().rows == 4
    assert Totals.from_bytes(totals().to_bytes()).update(*TABLE).to_bytes() == whole
    unread = totals()
    unread.report()
    assert unread.update(*TABLE, np.ones(4)).report().rows == 4


def test_totals_merged_with_themselves_count_twice():
    twice = totals(TABLE)
    twice.merge(twice)
    assert bits(twice.report()) == bits(totals([np.tile(x, 2) for x in TABLE]).report())


def test_a_weight_of_one_changes_no_value():
    weighted = totals([*TABLE, np.ones(4)]).report()
    plain = totals(TABLE).report()
    assert bits(weighted) == bits(plain)
    for name, m in plain.measures.items():
        if m.standard_error is not None:
            assert weighted[name].standard_error == pytest.approx(m.standard_error, rel=1e-9), name


def worst(report):
    rows = next(f for f in report.findings if f.kind == "concentration").numbers["worst"]
    return [row["row"] for row in rows]


def test_worst_rows_keep_their_numbers_when_rows_drop_and_totals_merge():
    generator = np.random.default_rng(4)
    truth = generator.normal(size=3000)
    prediction = truth + generator.normal(size=3000)
    truth[[0, 7, 1501]] = np.nan
    prediction[[10, 1400, 1600, 2999]] = 90, -80, 70, -60
    whole = totals([truth, prediction], nan="drop").report()
    assert worst(whole)[:4] == [11, 1401, 1601, 3000]
    merged = totals(nan="drop")
    for start in range(0, 3000, 500):
        rows = slice(start, start + 500)
        merged.merge(totals([truth[rows], prediction[rows]], nan="drop"))
    stored = Totals.from_bytes(merged.to_bytes()).report()
    assert worst(stored) == worst(whole)
    assert (stored.rows, stored.dropped) == (2997, 3)
    assert bits(stored) == bits(whole)


def test_a_missing_value_is_named_by_its_row_in_the_stream():
    stream = Totals().update(*TABLE).update(*TABLE)
    with pytest.raises(DataError, match=r"row 10: nan"):
        stream.update([1, np.nan], [1, 2])


def test_report_is_the_same_as_of_measure():
    assert offby.measure(*TABLE).to_json() == Totals().update(*TABLE).report().to_json()


def doubled(*columns):
    return [None if column is None else column.astype(float) for column in columns]


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 5_000, 300_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_single_precision_gives_the_bits_of_its_numbers_in_double(n, weighted):
    """Columns of float32 are not copied, and all sums are those of float64."""
    rng = np.random.default_rng(n)
    truth, guess = rng.normal(100, 1, (2, n)).astype(np.float32)
    weight = rng.uniform(0.5, 2, n).astype(np.float32) if weighted else None
    wanted = offby.measure(*doubled(truth, guess), sample_weight=doubled(weight)[0])
    for pair in ((truth, guess), (truth.astype(float), guess), (truth, guess[:, None])):
        found = offby.measure(*pair, sample_weight=weight)
        for name in wanted:
            assert repr(found[name].value) == repr(wanted[name].value)
            assert found[name].standard_error == pytest.approx(wanted[name].standard_error)
    parts = Totals()
    for start in range(0, n, 1 + n // 3):
        rows = slice(start, start + 1 + n // 3)
        second = guess if start else guess.astype(float)
        parts.update(truth[rows], second[rows], None if weight is None else weight[rows])
    assert parts.report()["rmse"].value == wanted["rmse"].value


def test_single_precision_with_all_that_reads_rows_anew():
    rng = np.random.default_rng(0)
    truth, guess = rng.normal(size=(2, 3_000)).astype(np.float32)
    for told in (
        {"by": {"third": np.arange(3_000) % 3}},
        {"interval": "bootstrap"},
        {"nan": "drop"},
    ):
        if "nan" in told:
            guess[::7] = np.nan
        found, wanted = (
            offby.measure(*pair, **told).to_dict()
            for pair in ((truth, guess), doubled(truth, guess))
        )
        assert repr(found) == repr(wanted)
    with pytest.raises(DataError, match=r"y_pred has 429 values .*row 1: nan"):
        offby.measure(truth, guess)
