"""Model vendors behind one protocol. Each vendor's SDK is imported only by its adapter, only when it is used."""
