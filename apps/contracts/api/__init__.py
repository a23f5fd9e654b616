"""Contract review under /api/v1/contracts/."""
