"""Whether a sentence says only what its evidence says: rules on figures, names, polarity and words, no model."""
