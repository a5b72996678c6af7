"""Measures: formulas over the aggregates of a table, their values and how sure they are."""
