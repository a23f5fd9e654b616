"""Whether a sentence says only what its evidence says: vetoes on figures and names, then a small trained decision."""
