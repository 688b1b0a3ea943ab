"""Open an exhibit safely and hand out pixels, samples, packets or pages."""

from tidewaiter.media.material import Frame, Media, Packet, Picture, Unexamined, Video
from tidewaiter.media.opening import open_media

__all__ = ["Frame", "Media", "Packet", "Picture", "Unexamined", "Video", "open_media"]
