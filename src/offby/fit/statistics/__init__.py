"""What is known of a fit: how sure its coefficients are, and how much it explains."""
