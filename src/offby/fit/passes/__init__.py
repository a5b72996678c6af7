"""Passes over rows: in blocks, compiled, in twice the digits, for several fits at once."""
