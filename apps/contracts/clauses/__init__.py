"""Which sentence of an English contract is which kind of clause, without a language model."""
