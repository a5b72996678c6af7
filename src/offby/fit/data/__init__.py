"""What is given becomes rows to be fitted: arrays, sparse matrices, tables of any size."""
