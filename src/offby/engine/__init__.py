"""The engine: plan, kernel, totals; exact sums whatever the order of the rows."""
