"""Preview the calls to Xero with the code that really makes them; nothing is sent and nothing is kept."""

from sinks.preview.run import NothingKnown, Previewed, PreviewedCall, PreviewedCommand, preview

__all__ = ["NothingKnown", "Previewed", "PreviewedCall", "PreviewedCommand", "preview"]
