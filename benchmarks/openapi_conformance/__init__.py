"""Judges of the OpenAPI import that share nothing with it: vendors' rules, example arguments, the source document."""
