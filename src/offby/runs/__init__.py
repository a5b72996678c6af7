"""Training logs: read from what other tools leave behind, or written row by row.

`find_runs` finds the runs in a file or a folder, in whatever format; each `RunReader` reads a run
as it grows; `pair` says which of its curves are training and validation. `Run` writes a run, and
`offby.runs.callbacks` plugs it into trainers.
"""
