"""Formulas to instructions of the loop: shared subtrees once, registers used again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.loop import OPERATIONS, TILE
from offby.errors import FormulaError
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression, walk
from offby.formula.words import p, r, y

Instruction = tuple[int, int, tuple[int, ...]]  # operation, destination, arguments
_WRITES = frozenset(range(OPERATIONS["load"] + 1)) | {OPERATIONS["fma"], OPERATIONS["product_low"]}


@dataclass(frozen=True)
class Program:
    """Instructions with registers assigned, and which registers hold constants from the start."""

    code: NDArray[np.int64]
    registers: int
    constants: dict[int, float]
    columns: NDArray[np.int64]

    def reading(self, singles: Sequence[int]) -> Program:
        """The same, where inputs at these places are columns of float32."""
        if not singles:
            return self
        code = self.code.copy()
        loads = (code[:, 0] == OPERATIONS["load"]) & np.isin(code[:, 2], singles)
        code[loads, 0] = OPERATIONS["load_single"]
        return replace(self, code=code)

    def fresh_registers(self, replace: dict[int, float] | None = None) -> NDArray[np.float64]:
        """The registers as they stand before the first tile."""
        values = aligned((self.registers, TILE))
        for register, value in {**self.constants, **(replace or {})}.items():
            values[register] = value
        return values


def aligned(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Zeros that begin on a cache line, which no vector of the widest kind then straddles."""
    size = math.prod(shape)
    room = np.zeros(size + 8)
    start = -room.ctypes.data % 64 // 8
    return room[start : start + size].reshape(shape)


class Builder:
    """Collects instructions over any number of virtual registers; `finish` makes them few."""

    def __init__(self, inputs: tuple[Expression, ...], *, finite: bool = False) -> None:
        self.finite = finite  # whether loading stops at a value that is not
        self.inputs = {symbol: place for place, symbol in enumerate(inputs)}
        self.instructions: list[Instruction] = []
        self.known: dict[Expression, int] = {}
        self.constants: dict[int, float] = {}
        self.columns: list[tuple[int, ...]] = []
        self.next = 0

    def register(self) -> int:
        """A register not yet in use."""
        self.next += 1
        return self.next - 1

    def fixed(self, value: float) -> int:
        """A new register that holds a number all the way; its value may be replaced at each run."""
        register = self.register()
        self.constants[register] = value
        return register

    def write(self, operation: str, *arguments: int) -> int:
        """Append an instruction that fills a new register."""
        target = self.register()
        self.instructions.append((OPERATIONS[operation], target, arguments))
        return target

    def act(self, operation: str, target: int, *arguments: int) -> None:
        """Append an instruction that adds to accumulator (or output) number `target`."""
        self.instructions.append((OPERATIONS[operation], target, arguments))

    def value(self, root: Expression) -> int:
        """The register that holds `root`."""
        for current in walk(root, self.known):
            self.known[current] = self._compute(current)
        return self.known[root]

    def _compute(self, current: Expression) -> int:
        if current.op == "constant":
            return self.fixed(current.data)
        if current in self.inputs:
            return self.write("load", self.inputs[current])
        if current is r:
            return self.value(p - y)
        if all(self.known[arg] in self.constants for arg in current.args):
            with np.errstate(all="ignore"):
                return self.fixed(float(evaluate(current, {})))
        if current.op == "power" and current.args[1].op == "constant":
            return self._power(current, current.args[1].data)
        if current.op == "divide" and _power_of_two(current.args[1]):
            half = self.fixed(1 / current.args[1].data)  # the same bits, without a division
            return self.write("multiply", self.known[current.args[0]], half)
        if current.op not in OPERATIONS:
            raise FormulaError(
                f"{current!r} has no value here; the words known are "
                + ", ".join(map(repr, self.inputs))
            )
        return self.write(current.op, *(self.known[arg] for arg in current.args))

    def _power(self, current: Expression, exponent: float) -> int:
        """Small whole powers by multiplication, as NumPy does, and a root as a root."""
        base = self.known[current.args[0]]
        if exponent == 0.5:
            return self.write("sqrt", base)
        if exponent not in (2.0, 3.0):
            return self.write("power", base, self.known[current.args[1]])
        square = self.write("multiply", base, base)
        return square if exponent == 2.0 else self.write("multiply", square, base)

    def finish(self) -> Program:
        """Assign registers: a constant keeps its own, any other is free after its last use."""
        place = {virtual: k for k, virtual in enumerate(self.constants)}
        last = self._last_uses()
        free: list[int] = []
        total = len(place)
        rows = []
        for at, (operation, target, arguments) in enumerate(self.instructions):
            if operation in _WRITES:
                if not free:
                    free.append(total)
                    total += 1
                place[target] = free.pop()  # never an argument's: in-place loops do not vectorise
                if last.get(target, -1) < 0:
                    free.append(place[target])
            rows.append(self._row(operation, target, arguments, place))
            for virtual in self._reads(operation, target, arguments):
                if virtual not in self.constants and last[virtual] == at:
                    free.append(place[virtual])
                    last[virtual] = -2
        columns = [[place[v] for v in row] for row in self.columns]
        constants = {place[virtual]: value for virtual, value in self.constants.items()}
        self.place = place
        return Program(
            np.array(rows, np.int64).reshape(-1, 5),
            total,
            constants,
            np.array(columns, np.int64).reshape(len(columns), len(columns[0]) if columns else 0),
        )

    def _row(
        self, operation: int, target: int, arguments: tuple[int, ...], place: dict[int, int]
    ) -> list[int]:
        if operation == OPERATIONS["load"]:
            return [operation, place[target], arguments[0], self.finite, 0]
        places = [place[argument] for argument in arguments]
        where = place[target] if operation in _WRITES else target
        return [operation, where, *places, *[0] * (3 - len(places))]

    def _reads(self, operation: int, target: int, arguments: tuple[int, ...]) -> set[int]:
        if operation == OPERATIONS["load"]:
            return set()
        extra = self.columns[target] if operation == OPERATIONS["count"] else ()
        return set(arguments) | set(extra)

    def _last_uses(self) -> dict[int, int]:
        last: dict[int, int] = {}
        for at, (operation, target, arguments) in enumerate(self.instructions):
            for virtual in self._reads(operation, target, arguments):
                last[virtual] = at
        return last


def _power_of_two(current: Expression) -> bool:
    """Whether it is a constant ±2^k whose reciprocal is a float64 too."""
    return (
        current.op == "constant"
        and abs(math.frexp(current.data)[0]) == 0.5
        and math.isfinite(1 / current.data)
    )
