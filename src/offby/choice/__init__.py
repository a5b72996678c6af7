"""Which loss to train with, given what one is judged by: what predictions alone can say."""

from offby.choice.advice import Candidate
from offby.choice.estimate import Estimate
from offby.choice.heldout import Likeness
from offby.choice.study import Study

__all__ = ["Candidate", "Estimate", "Likeness", "Study"]
