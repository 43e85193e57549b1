"""Domain values: what the product is about, without a word of storage or transport."""
