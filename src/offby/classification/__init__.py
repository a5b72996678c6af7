"""Classification: what kind of table it is, its measures, and labels as codes."""
