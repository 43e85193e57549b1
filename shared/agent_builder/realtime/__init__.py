"""Reaching others: WebSocket connections, and the doorbell of the runner."""
