"""What is stored and shown as cost, against a calculation that shares no code with the product or its price list."""
