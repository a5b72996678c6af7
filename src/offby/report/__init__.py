"""Results, as text, JSON, pages and pictures."""
