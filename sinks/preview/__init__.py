"""What Xero would be sent, by the code that really sends it, with nothing sent and nothing kept."""

from sinks.preview.run import NothingKnown, Previewed, PreviewedCall, PreviewedCommand, preview

__all__ = ["NothingKnown", "Previewed", "PreviewedCall", "PreviewedCommand", "preview"]
