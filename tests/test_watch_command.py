"""`offby watch` and the verb behind it: logs in, curves and verdicts out."""

import html
import io
import json
import math
import re

import numpy as np
import pytest
from rich.console import Console

from offby.errors import RunError
from offby.report.braille import Line, drawn
from offby.report.watch_facts import facts
from offby.report.watch_text import picture
from offby.runs.run import Run
from offby.verbs.watch import Watcher, watched

VAL = [0.85, 0.65, 0.55, 0.48, 0.45, 0.44, 0.45, 0.46, 0.48, 0.50]
TRAIN = [0.8, 0.6, 0.5, 0.4, 0.35, 0.32, 0.30, 0.29, 0.28, 0.27]


def written(folder, val=VAL, train=TRAIN, start=1, **more):
    with Run(folder) as run:
        for k, (a, b) in enumerate(zip(train, val, strict=True)):
            run.log(start + k, train=a, val=b, **{name: part[k] for name, part in more.items()})
    return folder


@pytest.fixture
def runs(tmp_path):
    written(tmp_path / "memorises")
    steady = [0.2 + math.exp(-k / 6) + 0.002 * (-1) ** k for k in range(30)]
    written(tmp_path / "learns", val=steady, train=[v - 0.05 for v in steady])
    return tmp_path


def test_the_known_answer(runs):
    (run,) = watched(runs / "memorises")
    assert (run.verdict.verdict, run.verdict.best_epoch) == ("overfitting", 6)
    assert (run.best, run.last) == (0.44, 0.50)
    assert (run.pair.train, run.pair.val) == ("train", "val")


def test_runs_are_ranked_by_what_their_best_checkpoint_reached(runs):
    assert [run.name for run in watched(runs)] == ["learns", "memorises"]
    assert [run.name for run in watched(runs / "memorises", runs / "learns")] == [
        "learns", "memorises",
    ]  # fmt: skip


def test_better_when_higher_ranks_the_other_way(tmp_path):
    for name, top in (("low", 0.7), ("high", 0.9)):
        with Run(tmp_path / name) as run:
            for k in range(12):
                run.log(k + 1, val_accuracy=top - 0.4 * 0.6**k)
    assert [run.name for run in watched(tmp_path)] == ["high", "low"]


def test_runs_are_shown_as_the_command_shows_them(runs, offby_command):
    found = watched(runs)
    assert found[0] is found.runs[0]
    assert found[:1] == found.runs[:1]
    assert repr(found) + "\n" == offby_command("watch", str(runs)).out
    assert found.to_dict() == json.loads(offby_command("watch", str(runs), "--json").out)
    assert repr(found[1]).startswith("memorises · overfitting: Validation has become worse")
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" style="[^"]*"></iframe>', found._repr_html_())
    assert html.unescape(frame[1]) + "\n" == found.to_html(runs / "page.html")
    assert (runs / "page.html").read_text() == found.to_html()


def test_a_second_look_reads_what_was_added_and_judges_anew(tmp_path):
    written(tmp_path / "a", VAL[:4], TRAIN[:4])
    watcher = Watcher([tmp_path])
    (first,) = watcher.look()
    assert watcher.look()[0] is first
    written(tmp_path / "a", VAL[4:], TRAIN[4:], start=5)
    written(tmp_path / "b")
    again = watcher.look()
    assert [(run.name, run.verdict.evaluations) for run in again] == [("a", 10), ("b", 10)]


def test_a_run_without_a_curve_hides_no_other(runs):
    (runs / "empty").mkdir()
    (runs / "empty" / "metrics.csv").write_text("epoch,lr\n1,0.1\n2,0.1\n")
    watcher = Watcher([runs])
    assert len(watcher.look()) == 2
    assert all("empty" in name for name in watcher.unread)


def test_accuracy_that_holds_tells_overconfidence_from_uselessness(tmp_path):
    better = np.linspace(0.6, 0.8, len(VAL))
    written(tmp_path / "a", val_accuracy=better, train_accuracy=better)
    (run,) = watched(tmp_path)
    assert run.pair.val == "val"
    assert run.verdict.overconfident
    assert "overconfident" in run.verdict.advice


def test_nothing_to_watch_is_one_clear_error(tmp_path, offby_command):
    with pytest.raises(RunError, match="no path was given"):
        Watcher([])
    with pytest.raises(RunError, match="there is no"):
        watched(tmp_path / "nowhere")
    done = offby_command("watch", tmp_path / "nowhere")
    assert "there is no" in done.error


def test_the_run_that_grew_last_is_known(tmp_path):
    written(tmp_path / "a", VAL[:4], TRAIN[:4])
    written(tmp_path / "b")
    watcher = Watcher([tmp_path])
    watcher.look()
    assert watcher.newest is None  # all are new
    written(tmp_path / "a", VAL[4:], TRAIN[4:], start=5)
    watcher.look()
    assert (watcher.newest.name, watcher.newest.verdict.evaluations) == ("a", 10)


def test_the_advice_speaks_of_what_the_log_counts(tmp_path):
    rows = [f"{k},{a},{b}" for k, (a, b) in enumerate(zip(TRAIN, VAL, strict=True), 1)]
    for axis in ("epoch", "iteration"):
        (tmp_path / f"{axis}.csv").write_text("\n".join([f"{axis},loss,val_loss", *rows]) + "\n")
    assert [f"since {run.name} 6;" in run.verdict.advice for run in watched(tmp_path)] == [True] * 2


def test_training_by_steps_beside_validation_by_epochs_is_said(tmp_path):
    with Run(tmp_path) as run:
        for epoch in range(1, 21):
            for step in range(10):
                run.log(10 * epoch + step, train=1 / epoch)
            run.log(epoch, val=1.1 / epoch)
    (one,) = watched(tmp_path)
    assert any("training was put on validation's axis" in note for note in one.notes)
    assert one.to_dict()["notes"] == one.notes


# The command


def test_the_picture_has_the_verdict_first_and_both_curves(runs, offby_command):
    done = offby_command("watch", runs / "memorises")
    assert done.code == 0
    assert done.out.startswith("overfitting: ")
    assert "best 0.44 at step 6" in done.out
    assert "train: train, validation: val (lower is better)" in done.out
    assert any("\u2801" <= sign <= "\u28ff" for sign in done.out)


def test_several_runs_are_listed_with_a_verdict_each(runs, offby_command):
    lines = offby_command("watch", runs).out.splitlines()
    assert lines[0].split() == ["run", "best", "at", "last", "evaluations", "verdict"]
    assert lines[1].split()[0] == "learns"
    assert lines[2].split()[0] == "memorises"
    assert "overfitting" in lines[2]


def test_metrics_that_cannot_be_compared_are_listed_apart(runs, offby_command):
    with Run(runs / "other") as run:
        for k in range(12):
            run.log(k + 1, **{"training/l2": 1000 - k, "valid_1/l2": 1100 - k})
    lines = [line.split("  ")[0] for line in offby_command("watch", runs).out.splitlines()[1:7]]
    assert lines[:4] == ["loss · lower is better", "learns", "memorises", "l2 · lower is better"]
    assert lines[4] == "other"


def test_runs_of_one_name_in_two_places_are_two(runs, tmp_path):
    written(tmp_path / "elsewhere" / "memorises")
    both = watched(tmp_path / "memorises", tmp_path / "elsewhere" / "memorises")
    names = {f"{tmp_path.as_posix()}/{name}" for name in ("memorises", "elsewhere/memorises")}
    assert {run.name for run in both} == names
    assert [run.name for run in watched(tmp_path / "learns", tmp_path / "learns")] == ["learns"]


def test_a_file_with_a_usual_name_goes_by_its_folder(tmp_path):
    for seed in ("seed1", "seed2"):
        (tmp_path / seed).mkdir()
        (tmp_path / seed / "metrics.csv").write_text("epoch,val_loss\n1,0.5\n2,0.4\n")
    found = watched(tmp_path / "seed1", tmp_path / "seed2" / "metrics.csv")
    assert sorted(run.name for run in found) == ["seed1", "seed2"]


def test_a_watcher_of_live_runs_waits_for_the_first(tmp_path):
    watcher = Watcher([tmp_path / "later"], live=True)
    assert watcher.look() == []
    assert "there is no" in next(iter(watcher.unread.values()))
    out = Console(file=io.StringIO(), width=80)
    out.print(picture([], watcher.unread, out))
    assert out.file.getvalue().startswith("Waiting for the first run (stop with Ctrl-C)\nthere is")
    written(tmp_path / "later" / "a")
    assert [run.name for run in watcher.look()] == ["a"]
    assert watcher.unread == {}
    (tmp_path / "photo.csv").write_bytes(bytes(range(256)))
    with pytest.raises(RunError, match="no training log was found"):
        Watcher([tmp_path / "photo.csv"], live=True).look()


def test_runs_whose_folder_is_gone_for_a_moment_are_kept(tmp_path):
    written(tmp_path / "runs" / "a")
    watcher = Watcher([tmp_path / "runs"], live=True)
    (before,) = watcher.look()
    (tmp_path / "runs").rename(tmp_path / "moved")
    assert watcher.look() == [before]
    assert list(watcher.unread) == [str(tmp_path / "runs")]


def test_the_facts_of_a_run_that_overfits_and_of_one_that_learns(runs):
    told = {run.name: {fact.label: fact for fact in facts(run)} for run in watched(runs)}
    memorises, learns = told["memorises"], told["learns"]
    assert memorises["best step"].value == "6"
    assert memorises["val"][1:] == ("0.44 → 0.5", "step 6 → 10")
    assert memorises["train"].value == "0.32 → 0.27"
    assert "lost since step 6" in memorises
    assert not any(label.startswith("to gain") for label in memorises)
    assert any(label.startswith("to gain until step") for label in learns)
    assert not any(label.startswith("lost since") for label in learns)


def test_one_look_and_following_exclude_one_another(runs, offby_command):
    for asked in (("--follow", "--json"), ("--serve", "--fail-if", "overfitting")):
        wrong = offby_command("watch", runs, *asked).error
        assert "are of one look; expected none of them with --follow or --serve" in wrong
    assert "--every is 0; expected seconds" in offby_command("watch", runs, "--every", "0").error


def test_json_has_the_verdict_and_the_evidence(runs, offby_command):
    found = json.loads(offby_command("watch", runs, "--json").out)
    last = found["runs"][-1]
    assert (last["verdict"], last["best_epoch"], last["best"]) == ("overfitting", 6, 0.44)
    assert last["metric"] == {"train": "train", "val": "val", "better": "lower"}
    assert found["unread"] == {}


def test_a_gate_fails_on_its_verdict_only(runs, offby_command):
    assert offby_command("watch", runs, "--fail-if", "overfitting").code == 1
    assert offby_command("watch", runs / "learns", "--fail-if", "overfitting").code == 0
    assert offby_command("watch", runs, "--fail-if", "diverged,never-generalised").code == 0
    wrong = offby_command("watch", runs, "--fail-if", "overfiting").error
    assert "'overfiting' is no verdict; expected one of: diverged" in wrong


def test_curves_can_be_named(runs, offby_command):
    done = offby_command("watch", runs / "memorises", "--val", "train", "--json")
    assert json.loads(done.out)["runs"][0]["metric"]["val"] == "train"
    wrong = offby_command("watch", runs / "memorises", "--val", "vall").error
    assert "did you mean 'val'" in wrong


# The picture


def test_many_runs_leave_room_for_the_curves_on_a_terminal(tmp_path):
    for k in range(40):
        written(tmp_path / f"run{k}", [value + k for value in VAL])
    runs = watched(tmp_path)
    out = Console(file=io.StringIO(), width=80, height=36)
    out.print(picture(runs, {}, out, chosen=runs[7], fitting=True))
    shown = out.file.getvalue()
    assert len(shown.splitlines()) <= 36
    assert re.search(r"^and \d+ more$", shown, re.MULTILINE)
    assert "run7 · overfitting" in shown


@pytest.mark.parametrize("height", [20, 24, 50])
def test_a_small_terminal_holds_all_of_a_picture(runs, height):
    found = watched(runs)
    for some in (found, found[:1]):
        out = Console(file=io.StringIO(), width=80, height=height)
        out.print(picture(some, {}, out, fitting=True))
        assert len(out.file.getvalue().splitlines()) <= height
        assert "best" in out.file.getvalue()


def test_a_picture_stays_within_its_size():
    x = np.arange(200_000.0)
    found = drawn([Line(x, np.sin(x / 9_000), "a"), Line(x, np.cos(x / 9_000), "b")], 60, 10)
    lines = found.plain.splitlines()
    assert len(lines) == 12
    assert max(map(len, lines)) <= 60


def test_what_is_not_finite_is_left_out_of_a_picture():
    found = drawn([Line([1, 2, 3, 4], [1.0, math.nan, math.inf, 2.0], "")], 30, 5)
    assert found.plain.splitlines()[0].startswith("2 ┤")
    assert drawn([Line([1], [math.nan], "")], 30, 5).plain == "nothing to draw yet"


def test_one_point_and_a_flat_line_are_drawn():
    for values in ([3.0], [3.0, 3.0, 3.0]):
        found = drawn([Line(range(len(values)), values, "")], 30, 5)
        assert any("\u2801" <= sign <= "\u28ff" for sign in found.plain)
