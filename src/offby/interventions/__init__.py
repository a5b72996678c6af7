"""What would move the needle: simple corrections, fitted on one half and judged on the other."""

from offby.interventions.intervention import Intervention
from offby.interventions.trials import Trials, interventions_of

__all__ = ["Intervention", "Trials", "interventions_of"]
