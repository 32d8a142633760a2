"""Notifications; ``sbx.notify.alerts`` decides what people are notified of."""
