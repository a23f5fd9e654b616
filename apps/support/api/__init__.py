"""REST under /api/v1/support/."""
