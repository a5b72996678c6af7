"""Ways to the minimum, from a linear system to a walk downhill."""
