"""The table: keys, items and their access patterns. Every error of the store is translated here, nowhere else."""
