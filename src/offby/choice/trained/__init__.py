"""Which loss to train with, shown by training under each of them on the same folds."""
