"""What is minimised: a loss as a function of the score, a penalty, and the proof of a minimum."""
