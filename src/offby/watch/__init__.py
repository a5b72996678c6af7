"""What training curves say: learning, memorising, or broken; statistics of curves alone."""
