"""Settings that all tests share."""

from hypothesis import settings

# A slow machine is no failing test; the same examples every time, so that a failure comes again.
settings.register_profile("offby", deadline=None, derandomize=True)
settings.load_profile("offby")
