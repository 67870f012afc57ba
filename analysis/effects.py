"""What does each modification of the baseline change?"""

from analysis.effects_contrasts import contrasts, pairs
from analysis.effects_errors import LEFT_OUT, MEAN_IMAGE
from analysis.effects_families import Contrast, Family, families_of

__all__ = ["LEFT_OUT", "MEAN_IMAGE", "Contrast", "Family", "contrasts", "families_of", "pairs"]
