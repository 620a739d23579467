"""What operators see: metrics for Prometheus, JSON lines for logs."""
