"""What the product does. Services join repositories, providers, tools and realtime, which do not know each other."""
