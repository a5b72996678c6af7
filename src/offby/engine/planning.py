"""The plan for the measures asked for: each distinct term laid out once, and the program of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from offby.engine.order import BUDGET
from offby.engine.plan import ONE, Basis, Counter, Plan, count_columns
from offby.engine.program import Builder
from offby.formula.aggregates import COUNTED, MOMENTS, aggregates_of
from offby.formula.expression import Expression
from offby.formula.words import p, r, w, where, y

BUDGETS = {"scores": 1 << 22, "confusion": 1 << 18}
"""Different keys that are kept without weights: AUC's bracket falls below 1e-6, 512 classes."""
_LEAST_SHARE = 1 << 12
"""Different keys that one class among however many keeps."""


@lru_cache(maxsize=128)
def plan_for(
    formulas: tuple[Expression, ...],
    weighted: bool,
    inputs: tuple[Expression, ...] = (y, p),
    worst: Expression = abs(r),  # noqa: B008  # a formula never changes
) -> Plan:
    """The plan that serves all these measure formulas in one pass.

    `inputs` are the columns that come, beside the weights; rows are remembered by their `worst`.
    """
    plan = Plan(weighted, (*inputs, w) if weighted else inputs, worst=worst)
    groups = [aggregates_of(formula) for formula in formulas]
    every = list(dict.fromkeys(part for group in groups for part in group))
    _Writer(plan, every, groups).write()
    return plan


class _Writer:
    """Writes the program of a plan while it lays the totals out."""

    def __init__(
        self, plan: Plan, every: Sequence[Expression], groups: Sequence[Sequence[Expression]]
    ) -> None:
        self.plan, self.every, self.groups = plan, every, groups
        self.builder = Builder(plan.inputs, finite=True)
        self.basis_at: dict[int, int] = {}  # place in the basis -> register
        self.pilots: dict[int, tuple[int, int]] = {}  # ... -> registers (scale, -shift*scale)
        self.products: set[tuple[int, int]] = set()  # of basis terms, in the basis too
        self.times_weight: dict[int, int] = {}  # the same, times the weight
        self.multiplied: dict[tuple[int, ...], int] = {}  # two of those
        self.counted: dict[Expression, dict[Expression, None]] = {}  # key -> columns
        self.budgets: dict[Expression, int] = {}  # key -> different keys kept

    def write(self) -> None:
        self.plan.checks = self._checked(Builder(self.plan.inputs, finite=True)).finish()
        self._checked(self.builder)
        if self.plan.weighted:
            self._sum(w, [self.builder.value(w)])
            self._moment(-1, -1)
        for aggregate in self.every:
            if aggregate.op in MOMENTS:
                self._terms(aggregate)
        for group in self.groups:
            places = sorted({k for part in group for k in self._basis_of(part)})
            if len(places) == 1:
                self._fourths(places[0])
        for group in self.groups:
            self._pairs([k for part in group for k in self._basis_of(part)])
        for aggregate in self.every:
            if aggregate.op in COUNTED:
                self._counted(aggregate)
        self._count()
        largest = [part.args[0] for part in self.every if part.op == "largest"]
        for term in (self.plan.worst, *largest):
            self._keep_largest(term)
        self.plan.program = self.builder.finish()
        place = self.builder.place
        self.plan.shifts = [(place[scale], place[shift]) for scale, shift in self.plan.shifts]

    def _checked(self, builder: Builder) -> Builder:
        for checked in self.plan.inputs:
            builder.value(checked)  # loading checks
        if self.plan.weighted:  # a weight of zero, too, takes the careful way: the row is absent
            builder.act("check", 0, builder.value(where(w > 0, w, float("nan"))))
        return builder

    def _terms(self, aggregate: Expression) -> None:
        for term in dict.fromkeys(aggregate.args):
            if term not in self.plan.exact:
                self._sum(term, self._weighted(self.builder.value(term)))
        if aggregate.op != "mean":
            first, second = aggregate.args[0], aggregate.args[-1]
            if (first, second) not in self.plan.squares:
                product = self._product(self.builder.value(first), self.builder.value(second))
                parts = [part for half in product for part in self._weighted(half)]
                self.plan.squares[first, second] = self._add(parts)

    def _sum(self, term: Expression, parts: list[int]) -> None:
        self.plan.exact[term] = self._add(parts)

    def _add(self, registers: list[int]) -> list[int]:
        """An exact sum for each register."""
        places = []
        for register in registers:
            self.builder.act("exact", self.plan.exact_sums, register)
            places.append(self.plan.exact_sums)
            self.plan.exact_sums += 1
        return places

    def _weighted(self, register: int) -> list[int]:
        return self._product(register, self.builder.value(w)) if self.plan.weighted else [register]

    def _product(self, a: int, b: int) -> list[int]:
        """Two registers whose sum is exactly a times b."""
        return [self.builder.write("multiply", a, b), self.builder.write("product_low", a, b)]

    def _basis_of(self, aggregate: Expression) -> list[int]:
        """The places of the basis terms that the aggregate's standard error is made of."""
        if aggregate.op not in MOMENTS:
            return []
        linear = [self._place(term) for term in dict.fromkeys(aggregate.args)]
        if aggregate.op == "mean":
            return linear
        return [*linear, self._place((linear[0], linear[-1]))]

    def _place(self, term: Basis) -> int:
        for place, known in enumerate(self.plan.basis):  # never `in`: == builds an equation
            if known is term or (
                isinstance(known, tuple) and isinstance(term, tuple) and known == term
            ):
                return place
        self.plan.basis.append(term)
        place = len(self.plan.basis) - 1
        if isinstance(term, tuple):
            self.products.add(term)
        else:
            self.plan.shifts.append((self.builder.fixed(1.0), self.builder.fixed(0.0)))
            self.pilots[place] = self.plan.shifts[-1]
        return place

    def _basis(self, place: int) -> int:
        """The register of a basis term, written when it is first needed."""
        if place not in self.basis_at:
            term = self.plan.basis[place]
            if isinstance(term, tuple):
                parts = [self._basis(k) for k in term]
                self.basis_at[place] = self.builder.write("multiply", *parts)
            else:
                value = self.builder.value(term)
                self.basis_at[place] = self.builder.write("fma", value, *self.pilots[place])
        return self.basis_at[place]

    def _pairs(self, places: list[int]) -> None:
        """A sum for every product that the covariances of these basis terms need.

        Without weights the exact sums hold the terms themselves, products among them.
        """
        distinct = sorted(set(places))
        for i in distinct:
            if self.plan.weighted:
                self._moment(-1, i)
            for j in distinct:
                if i <= j and (self.plan.weighted or (i, j) not in self.products):
                    self._moment(i, j)

    def _moment(self, *places: int) -> None:
        """The sum of a product of basis terms, each times the weight, and -1 for the weight."""
        if places not in self.plan.moments:
            target = self.plan.moments[places] = len(self.plan.moments)
            half = len(places) // 2
            halves = (self._weighted_product(places[:half]), self._weighted_product(places[half:]))
            self.builder.act("dot", target, *halves)

    def _fourths(self, i: int) -> None:
        """What tells how sure the standard error of one mean is: sums up to the fourth power."""
        if self.plan.weighted:
            for degree in range(5):
                self._moment(*[-1] * (4 - degree), *[i] * degree)
        elif (i, i) not in self.plan.moments:
            target, term = len(self.plan.moments), self.plan.basis[i]
            assert isinstance(term, Expression)
            for place in ((i, i), (i, i, i), (i, i, i, i)):
                self.plan.moments[place] = len(self.plan.moments)
            self.builder.act("powers", target, self.builder.value(term), *self.pilots[i])

    def _weighted_product(self, places: tuple[int, ...]) -> int:
        if len(places) == 1:
            return self._times_weight(places[0])
        if places not in self.multiplied:
            parts = [self._times_weight(place) for place in places]
            self.multiplied[places] = self.builder.write("multiply", *parts)
        return self.multiplied[places]

    def _times_weight(self, place: int) -> int:
        weight = self.builder.value(w) if self.plan.weighted else -1
        if place == -1 or not self.plan.weighted:
            return weight if place == -1 else self._basis(place)
        if place not in self.times_weight:
            self.times_weight[place] = self.builder.write("multiply", self._basis(place), weight)
        return self.times_weight[place]

    def _counted(self, aggregate: Expression) -> None:
        """Note what must be counted for an order statistic."""
        key = aggregate.args[0]
        columns = self.counted.setdefault(key, {})
        self.budgets[key] = max(_budget(aggregate, self.plan.weighted), self.budgets.get(key, 0))
        for column in count_columns(aggregate, self.plan.weight):
            columns[column] = None

    def _count(self) -> None:
        widest = max((len(columns) for columns in self.counted.values()), default=0)
        for place, (key, columns) in enumerate(self.counted.items()):
            self.plan.counters.append(Counter(key, tuple(columns), self.budgets[key]))
            registers = [self.builder.value(column) for column in columns]
            registers += [self.builder.value(ONE)] * (widest - len(registers))
            self.builder.columns.append(tuple(registers))
            self.builder.act("count", place, self.builder.value(key))

    def _keep_largest(self, term: Expression) -> None:
        if not any(term is known for known in self.plan.largest):
            self.plan.largest.append(term)
            self.builder.act("worst", len(self.plan.largest) - 1, self.builder.value(term))


def _budget(aggregate: Expression, weighted: bool) -> int:
    """Different keys to keep; rankings of several classes share what one would have alone."""
    whole = BUDGET if weighted else BUDGETS.get(aggregate.op, BUDGET)
    if aggregate.op != "one_of_many":
        return whole
    classes: int = aggregate.data
    share = max(BUDGETS["scores"] >> (classes - 1).bit_length(), _LEAST_SHARE)
    return min(share, whole) if weighted else share
