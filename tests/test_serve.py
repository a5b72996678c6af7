"""The page of runs, served and written: what it holds, its events, and the page in a browser."""

import json
import re
import shutil
import socket
import threading
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from browser import CHROMIUM, opened

from offby.errors import RunError
from offby.report.watch_page import MOST_POINTS, page, told
from offby.runs.run import Run
from offby.serve.board import Board
from offby.serve.server import serve
from offby.verbs.watch import Watcher, watched

VAL = [0.85, 0.65, 0.55, 0.48, 0.45, 0.44, 0.45, 0.46, 0.48, 0.50]


def log(folder, values, start=1):
    with Run(folder) as run:
        for step, value in enumerate(values, start):
            run.log(step, train=0.8 / step + 0.2, val=value)


def embedded(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])["runs"]


# The page


def test_the_page_holds_the_curves_and_the_verdict(tmp_path):
    log(tmp_path / "a", VAL)
    (run,) = embedded(page(watched(tmp_path), {}))
    assert run["curves"]["val"] == [list(range(1, 11)), VAL]
    assert run["best"] == {"at": 6, "value": 0.44, "within": list(run["best"]["within"])}
    assert run["best"]["within"][0] <= 6 <= run["best"]["within"][1]
    assert run["fitted"][0][-1] == 10


def test_names_cannot_leave_their_place_in_the_page(tmp_path):
    log(tmp_path / "</script><script>alert(1)", VAL)
    text = page(watched(tmp_path), {"<b>": "<i>not read"})
    assert "<script>alert" not in text
    assert "<i>not read" not in text
    assert embedded(text)[0]["name"] == "</script><script>alert(1)"


def test_no_address_but_its_own_stands_in_the_page(tmp_path):
    log(tmp_path / "a", VAL)
    text = page(watched(tmp_path), {})
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"]
    assert not re.search(r"url\(|import\(|fetch\(|XMLHttpRequest", text)


def test_very_many_points_keep_their_extremes(tmp_path):
    values = np.full(100_000, 1.0)
    values[[777, 50_000]] = 9.0, 0.1
    (tmp_path / "log.csv").write_text(
        "step,loss\n" + "\n".join(f"{k},{value}" for k, value in enumerate(values)) + "\n"
    )
    steps, drawn = told(watched(tmp_path)[0])["curves"]["train"]
    assert len(steps) <= MOST_POINTS + 2
    assert {777, 50_000, 0, 99_999} <= set(steps)
    assert (max(drawn), min(drawn)) == (9.0, 0.1)


def test_what_is_not_finite_is_a_gap(tmp_path):
    log(tmp_path / "a", [0.5, float("nan"), 0.4, float("inf")])
    assert told(watched(tmp_path)[0])["curves"]["val"][1] == [0.5, None, 0.4, None]


# News


def test_a_page_hears_of_what_it_has_not_seen(tmp_path):
    log(tmp_path / "a", VAL[:5])
    log(tmp_path / "b", VAL)
    board = Board(Watcher([tmp_path]))
    board.look()
    number, news = board.since(0, 0)
    assert {run["name"] for run in news["runs"]} == set(news["names"]) == {"a", "b"}
    assert board.since(number, 0) == (number, None)
    log(tmp_path / "a", VAL[5:], start=6)
    board.look()
    later, news = board.since(number, 0)
    assert [(run["name"], run["evaluations"]) for run in news["runs"]] == [("a", 10)]
    assert later > number
    assert len(board.since(later + 5, 0)[1]["runs"]) == 2  # of another server: it knows nothing


def test_a_page_hears_of_what_cannot_be_read_and_of_what_is_gone(tmp_path):
    log(tmp_path / "a", VAL)
    board = Board(Watcher([tmp_path], live=True))
    board.look()
    number, news = board.since(0, 0)
    assert news["unread"] == {}
    (tmp_path / "rates.csv").write_text("epoch,loss\n")
    board.look()
    number, news = board.since(number, 0)
    assert (news["runs"], list(news["unread"])) == ([], ["rates"])
    assert "holds no curve" in news["unread"]["rates"]
    (tmp_path / "rates.csv").write_text("epoch,loss\n1,0.5\n")
    shutil.rmtree(tmp_path / "a")
    board.look()
    number, news = board.since(number, 0)
    assert ([run["name"] for run in news["runs"]], news["names"]) == (["rates"], ["rates"])
    assert news["unread"] == {}


def test_who_waits_is_woken(tmp_path):
    board = Board(Watcher([tmp_path / "later"], live=True))
    heard = []
    waits = threading.Thread(target=lambda: heard.append(board.since(0, 60)))
    waits.start()
    log(tmp_path / "later/a", VAL)
    board.look()
    waits.join(30)
    assert [run["name"] for run in heard[0][1]["runs"]] == ["a"]


# The server


@contextmanager
def served(folder, live=False):
    board, told_where, where = Board(Watcher([folder], live=live)), threading.Event(), []

    def ready(address):
        where.append(address)
        told_where.set()

    def run():
        with pytest.raises(Interrupted):
            serve(board, 0, every=0.05, ready=ready)

    class Interrupted(Exception):
        pass

    board.look()
    look, stop = board.look, threading.Event()

    def look_or_stop():
        if stop.is_set():
            raise Interrupted
        look()

    board.look = look_or_stop
    thread = threading.Thread(target=run)
    thread.start()
    told_where.wait(30)
    try:
        yield where[0]
    finally:
        stop.set()
        thread.join(30)


def event(stream):
    """The next event with data: its number and what it says."""
    found = {}
    for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if not line.strip() and "data" in found:
            return int(found["id"]), json.loads(found["data"])
        found[name] = value
    raise AssertionError("the stream ended")


def test_the_page_and_its_events_are_served(tmp_path):
    log(tmp_path / "a", VAL[:5])
    with served(tmp_path) as address:
        with urlopen(address, timeout=30) as answer:
            text = answer.read().decode()
        assert "const LIVE = true" in text
        assert embedded(text) == []
        with urlopen(f"{address}events", timeout=30) as stream:
            number, news = event(stream)
            (run,) = news["runs"]
            assert (run["name"], run["evaluations"]) == ("a", 5)
            log(tmp_path / "a", VAL[5:], start=6)
            later, news = event(stream)
            while news["runs"][0]["evaluations"] < 10:
                later, news = event(stream)
            assert news["runs"][0]["verdict"] == "overfitting"
        again = Request(f"{address}any/prefix/events", headers={"Last-Event-ID": str(number)})
        with urlopen(again, timeout=30) as stream:
            resumed, news = event(stream)
            assert (resumed, news["runs"][0]["evaluations"]) == (later, 10)
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{address}secrets", timeout=30)


def test_a_port_that_is_taken_is_one_clear_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RunError, match=f"cannot serve on 127.0.0.1:{port}.*give another port"):
            serve(Board(Watcher([tmp_path])), port)
    with pytest.raises(RunError, match="give another port"):
        serve(Board(Watcher([tmp_path])), 99_999_999)


# In a browser


in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
VERDICT = "document.getElementById('verdict').textContent"
NAMES = "[...document.querySelectorAll('#list tbody th')].map((th) => th.textContent).join()"
INK = """(() => {
  const c = document.querySelector('#plot canvas');
  const dots = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return new Set(new Uint32Array(dots.buffer)).size;
})()"""


@in_a_browser
def test_a_browser_shows_the_verdict_the_list_and_the_plot(tmp_path):
    log(tmp_path / "runs/seed1", VAL)
    log(tmp_path / "runs/seed2", VAL[:5])
    whole = tmp_path / "page.html"
    whole.write_text(page(watched(tmp_path / "runs"), {}), encoding="utf-8")
    with opened(whole.as_uri(), tmp_path / "profile") as tab:
        tab.until(f"document.querySelector('canvas') && {INK} > 20")
        assert tab.run(VERDICT).startswith("overfitting: ")
        assert tab.run(NAMES) == "seed1,seed2"
        assert tab.run("document.getElementById('seeds-label').hidden") is False
        for option in ("log-y", "log-x", "seeds"):
            tab.run(f"document.getElementById('{option}').click()")
            tab.until(f"{INK} > 20")
        assert tab.asked() <= {whole.as_uri(), "data:,"}
        assert tab.faults() == []


@in_a_browser
def test_a_browser_draws_one_metric_and_shows_the_facts_of_the_run_that_is_clicked(tmp_path):
    log(tmp_path / "runs/a", VAL)
    log(tmp_path / "runs/b", VAL)
    with Run(tmp_path / "runs/c") as run:
        for step in range(1, 30):
            run.log(step, **{"train/rmse": 500 / step, "valid/rmse": 600 / step})
    whole = tmp_path / "page.html"
    whole.write_text(page(watched(tmp_path / "runs"), {"bad.csv": "may not be read"}))
    drawn = (
        "[...document.querySelectorAll('#list tr.shown:not(.part) th')].map((th) => th.textContent)"
    )
    facts = "document.getElementById('facts').innerText"
    with opened(whole.as_uri(), tmp_path / "profile") as tab:
        tab.until(f"document.querySelector('canvas') && {INK} > 20")
        assert tab.run("document.getElementById('metric').value") == "loss"
        assert tab.run(drawn) == ["a", "b"]
        assert tab.run(facts) == ""
        tab.run("[...document.querySelectorAll('#list tbody tr')].at(-1).click()")
        assert tab.run(drawn) == ["c"]
        assert tab.run("document.getElementById('log-y').checked") is True  # from 17 to 600
        for said in ("best step", "valid/rmse", "to gain until step"):
            assert said in tab.run(facts)
        assert "bad.csv: may not be read" in tab.run("document.body.innerText")
        tab.until(f"{INK} > 20")
        assert tab.faults() == []


@in_a_browser
def test_a_browser_waits_for_the_first_run_and_hears_of_what_cannot_be_read(tmp_path):
    with served(tmp_path / "runs", live=True) as address, opened(address, tmp_path / "p") as tab:
        tab.until("document.body.innerText.includes('there is no')")
        assert tab.run(VERDICT) == "Waiting for the first run"
        log(tmp_path / "runs/first", VAL)
        tab.until(f"{NAMES} === 'first'")
        (tmp_path / "runs/rates.csv").write_text("epoch,loss\n")
        tab.until("document.body.innerText.includes('it has no numbers so far')")
        shutil.rmtree(tmp_path / "runs/first")
        tab.until(f"{VERDICT} === 'Waiting for the first run'")
        assert tab.faults() == []


@in_a_browser
def test_a_browser_shows_a_run_written_after_the_page_was_opened(tmp_path):
    log(tmp_path / "runs/early", VAL[:5])
    with served(tmp_path / "runs") as address, opened(address, tmp_path / "profile") as tab:
        tab.until(f"{NAMES} === 'early'")
        log(tmp_path / "runs/late", [value / 2 for value in VAL])
        tab.until(f"{NAMES} === 'late,early'")
        tab.until(f"{VERDICT}.startsWith('overfitting')")
        log(tmp_path / "runs/early", VAL[5:], start=6)
        tab.until("document.querySelectorAll('#list .verdict.bad').length === 2")
        assert all(one.startswith((address, "data:")) for one in tab.asked())
        assert f"{address}events" in tab.asked()
        assert tab.faults() == []
