"""Parts of a table: rows by their segments and clusters, gaps, and the search for bad segments."""
