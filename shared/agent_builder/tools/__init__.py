"""Tools that an agent can call, one file a kind."""
