"""Losses as trainers want them: each one's own sign, order, scale, factor, start and curvature.

`Trainable` in the room above leads here. What boosters and networks put out is any number, so
losses of positive amounts are taken on the log scale and losses of probabilities on the logit
scale: see `links`.
"""
