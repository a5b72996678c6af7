"""Reading and writing training logs: seconds of processor, since other work shares the machine.

`python benchmarks/runs.py [megabytes]`: tbparse reads a fifth of the file, for it takes minutes.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from timing import keep, machine

from offby.runs.find import find_runs, read_run
from offby.runs.run import Run
from offby.runs.wire import crc_table, masked_crc

TAGS = ("loss/train", "loss/validation", "learning_rate", "grad_norm")


def record(data: bytes, table: np.ndarray) -> bytes:
    def crc(part: bytes) -> bytes:
        whole = masked_crc(np.frombuffer(part, dtype=np.uint8), 0, len(part), table)
        return struct.pack("<I", whole)

    head = struct.pack("<Q", len(data))
    return head + crc(head) + data + crc(data)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def event(step: int, tag: str, value: float) -> bytes:
    inner = b"\x0a" + varint(len(tag)) + tag.encode() + b"\x15" + struct.pack("<f", value)
    inner = b"\x0a" + varint(len(inner)) + inner
    head = b"\x09" + struct.pack("<d", 1.7e9 + step) + b"\x10" + varint(step)
    return head + b"\x2a" + varint(len(inner)) + inner


def event_file(path: Path, size: int) -> int:
    """An event file of about `size` bytes; the number of its scalars."""
    path.parent.mkdir(parents=True)
    table, written, step = crc_table(), 0, 0
    with path.open("wb") as file:
        while written < size:
            step += 1
            for tag in TAGS:
                written += file.write(record(event(step, tag, 1 / step), table))
    return step * len(TAGS)


def many_runs(folder: Path, runs: int, points: int, suffix: str) -> None:
    for number in range(runs):
        (folder / f"run_{number}").mkdir(parents=True)
        rng = np.random.default_rng(number)
        train, val = rng.random((2, points)).tolist()
        with (folder / f"run_{number}" / f"metrics{suffix}").open("w") as file:
            if suffix == ".csv":
                file.write("epoch,loss,val_loss\n")
                rows = zip(range(points), train, val, strict=True)
                file.writelines(f"{i},{a},{b}\n" for i, a, b in rows)
            else:
                for i, (a, b) in enumerate(zip(train, val, strict=True)):
                    file.write(json.dumps({"epoch": i, "loss": a, "val_loss": b}) + "\n")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def events(folder: Path, megabytes: int) -> list[str]:
    event_file(folder / "warm" / "events.out.tfevents.0", 1000)
    read_run(folder / "warm")  # compiles, once on a machine
    large, small = folder / "large", folder / "small"
    count = event_file(large / "events.out.tfevents.0", megabytes << 20)
    part = event_file(small / "events.out.tfevents.0", (megabytes << 20) // 5)
    ours = seconds(lambda: read_run(large))
    line = f"offby {ours:.2f} s ({ours / count * 1e6:.2f} µs a scalar)"
    if find_spec("tbparse"):
        from tbparse import SummaryReader

        peer = seconds(lambda: SummaryReader(str(small)).scalars) / part
        line += f"; tbparse {peer * 1e6:.1f} µs a scalar: offby is {peer * count / ours:.0f} × "
        line += "as fast (target: at least a fifth as fast)"
    return [f"An event file of {megabytes} MB, {count:,} scalars: {line}.", ""]


def folders(folder: Path) -> list[str]:
    lines = ["| 200 runs of 10,000 points, two curves | s |", "|---|---|"]
    for suffix in (".csv", ".jsonl"):
        many_runs(folder / suffix, 200, 10_000, suffix)
        spent = seconds(lambda name=suffix: [run.read() for run in find_runs(folder / name)])
        lines.append(f"| {suffix} | {spent:.2f} |")
    return [*lines, ""]


def logging(folder: Path, calls: int = 100_000) -> list[str]:
    with Run(folder / "written") as run:

        def work() -> None:
            for step in range(calls):
                run.log(step, train=0.5, val=0.6, accuracy=0.7)

        spent = seconds(work) / calls
    return [f"`Run.log` of three numbers: {spent * 1e6:.1f} µs a call (target ≤ 20 µs)."]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = [*events(folder, megabytes), *folders(folder), *logging(folder)]
    print("\n".join(told))
    keep("runs", [f"Processor time on {machine()}.", "", *told])


if __name__ == "__main__":
    main()
