"""Quantile regression, exactly: a vertex of the linear programme, one level or many."""
