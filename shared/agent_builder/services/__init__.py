"""What the product does. Services join repositories, providers, tools and realtime, which know nothing of each other."""
